import {
  type Bench,
  type Case,
  type Finding,
  fail,
  type Level,
  type Section,
  type Wire,
} from '../case.ts';
import { hasTypedContents } from '../wire/grpc-infer.ts';
import {
  describeCall,
  describeReply,
  INFER_WIRES,
  type InferAnswer,
  type InferCall,
  type InferWire,
} from '../wire/infer-call.ts';
import { difference, type KitTensor } from '../wire/tensor.ts';

type InferenceOptions = {
  readonly id: string;
  readonly section?: Section;
  readonly level?: Level;
  readonly claim: string;
  readonly reference: string;
  readonly call: InferCall;
  /** All of the answer, in this order. */
  readonly outputs: readonly KitTensor[];
  /** Without them: all that can carry the tensors. */
  readonly wires?: readonly InferWire[];
  /** Why a server may refuse this over REST-JSON; undefined: it may not. */
  readonly jsonMayRefuse?: string;
};

/** One inference whose answer is known, over every wire that can carry it. The run compares the wires with each other too. */
export function inferenceCase(options: InferenceOptions): Case {
  const { section = 'inference', level = 'required', call, wires = wiresFor(call) } = options;
  const { id, claim, reference } = options;
  return {
    ...{ id, section, level, claim, reference, wires },
    models: [call.model],
    run: (bench, wire) => run(bench, wire, options),
  };
}

function wiresFor({ inputs }: InferCall): readonly InferWire[] {
  const isTyped = inputs.every(({ datatype }) => hasTypedContents(datatype));
  return INFER_WIRES.filter((wire) => wire !== 'grpc-typed' || isTyped);
}

async function run(
  { infer }: Bench,
  wire: Wire,
  { call, outputs, jsonMayRefuse }: InferenceOptions,
): Promise<Finding> {
  const reply = await infer[wire as InferWire](call);
  const request = describeCall(call);
  if (reply.kind === 'refusal' && wire === 'rest-json' && jsonMayRefuse !== undefined) {
    if (/^4\d\d$/.test(reply.status) && reply.message !== '') {
      return { kind: 'pass', note: `refused, as it may be: ${jsonMayRefuse}` };
    }
  }
  const expected = outputs.map(({ name, datatype, shape }) => `${name} ${datatype}[${shape}]`);
  if (reply.kind !== 'answer') {
    return fail({ request, expected: expected.join(', '), found: describeReply(reply) });
  }
  const wrong = wrongIn(reply.answer, call, outputs);
  if (wrong) return fail({ request, ...wrong });
  return { kind: 'pass', outputs: reply.answer.outputs };
}

function wrongIn(answer: InferAnswer, call: InferCall, outputs: readonly KitTensor[]) {
  if (answer.model !== call.model) {
    return { expected: `model_name ${call.model}`, found: answer.model || 'none' };
  }
  if (call.version !== undefined && answer.version !== call.version) {
    return { expected: `model_version ${call.version}`, found: answer.version || 'none' };
  }
  if (call.id !== undefined && answer.id !== call.id) {
    return { expected: `id ${call.id}`, found: answer.id || 'none' };
  }
  const names = answer.outputs.map(({ name }) => name).join(', ');
  const wanted = outputs.map(({ name }) => name).join(', ');
  if ([...names].sort().join() !== [...wanted].sort().join()) {
    return { expected: `outputs ${wanted}`, found: names || 'none' };
  }
  for (const output of outputs) {
    const found = answer.outputs.find(({ name }) => name === output.name);
    const wrong = difference(output, found);
    if (wrong) return { expected: 'the values that the model computes', found: wrong };
  }
  return undefined;
}
