import { type Case, fail, type Level, pass, type Section } from '../case.ts';
import { hasTypedContents } from '../wire/grpc-infer.ts';
import {
  describeCall,
  describeReply,
  INFER_WIRES,
  type InferCall,
  type InferWire,
} from '../wire/infer-call.ts';

type RefusalOptions = {
  readonly id: string;
  readonly section?: Section;
  readonly level?: Level;
  readonly extension?: string;
  readonly claim: string;
  readonly reference: string;
  readonly call: InferCall;
  readonly http: readonly number[];
  readonly grpc: readonly string[];
  /** Other statuses that are documented somewhere, and where: they pass with a note. */
  readonly alternatives?: Readonly<Record<string, string>>;
  readonly wires?: readonly InferWire[];
};

/** One inference that must be refused with a status of the list and a message. */
export function refusalCase(options: RefusalOptions): Case {
  const { section = 'errors', level = 'required', call } = options;
  const { id, claim, reference, extension, wires = wiresFor(call) } = options;
  return {
    ...{ id, section, level, claim, reference, wires },
    ...(extension !== undefined && { extension }),
    models: call.model.startsWith('oip_') ? [call.model] : [],
    run: async ({ infer }, wire) => {
      const reply = await infer[wire as InferWire](call);
      const right = wire.startsWith('grpc') ? options.grpc : options.http.map(String);
      const request = describeCall(call);
      const expected = `refused with ${right.join(' or ')} and a message`;
      if (reply.kind !== 'refusal' || reply.message.trim() === '') {
        return fail({ request, expected, found: describeReply(reply) });
      }
      if (right.includes(reply.status)) return pass();
      const documented = options.alternatives?.[reply.status];
      if (documented !== undefined) return pass(`${reply.status}: ${documented}`);
      return fail({ request, expected, found: describeReply(reply) });
    },
  };
}

function wiresFor({ inputs }: InferCall): readonly InferWire[] {
  const isTyped = inputs.every(({ datatype }) => hasTypedContents(datatype));
  return INFER_WIRES.filter((wire) => wire !== 'grpc-typed' || isTyped);
}
