/**
 * Many callers at once send one model requests of their own, over all wires together, and every answer is compared with the
 * runtime alone: each caller must get the answer that its request would get in a run of its own.
 */
import { seededRandom } from '../../src/core/random.ts';
import { GrpcWire } from '../conformance/wire/grpc.ts';
import { inferRaw, inferTyped } from '../conformance/wire/grpc-infer.ts';
import { HttpWire } from '../conformance/wire/http.ts';
import { describeReply, type Infer } from '../conformance/wire/infer-call.ts';
import { inferBinary, inferJson } from '../conformance/wire/rest.ts';
import type { KitTensor } from '../conformance/wire/tensor.ts';
import { ServedSet, type Standing } from './a-served-set.ts';
import { differenceOf } from './difference.ts';
import type { Examinee } from './examinee.ts';
import { Lone } from './lone.ts';
import { makeRequest } from './make-request.ts';

export const CALLERS = 16;
/** Requests that the model refuses alone are made again, so many times as often as there are to be. */
const TRIES = 3;
/** Faults of one model that are kept; all are counted. */
const KEPT_MAX = 3;

/** Why a model is not asked whose answers differ from run to run. */
export const RANDOM = 'answers at random';

/** How one model came out. */
export type Result = {
  readonly model: Examinee;
  readonly standing: Standing;
  readonly requests: number;
  /** Runs that more than one of them shared. */
  readonly sharedRuns: number;
  readonly wrong: Faults;
  readonly refused: Faults;
  /** Why nothing was asked. */
  readonly skipped: string | undefined;
};

export type Faults = { readonly count: number; readonly kept: readonly string[] };

export type ExamOptions = {
  readonly seed: number;
  /** Requests of one model. */
  readonly requestsEach: number;
  readonly onResult?: (result: Result) => void;
};

type Question = { readonly inputs: readonly KitTensor[]; readonly lone: readonly KitTensor[] };

/** Serves all models on one gateway, and asks one after the other. Rejects where the gateway ends. */
export async function examine(
  examinees: readonly Examinee[],
  options: ExamOptions,
): Promise<readonly Result[]> {
  const served = await ServedSet.open(examinees);
  const http = new HttpWire(served.http);
  const grpc = new GrpcWire(served.grpc);
  const wires: readonly Infer[] = [
    (call) => inferBinary(http, call),
    (call) => inferRaw(grpc, call),
    (call) => inferJson(http, call),
    (call) => (hasHalves(call.inputs) ? inferRaw(grpc, call) : inferTyped(grpc, call)),
  ];
  try {
    const asked = [];
    const before = await served.standings();
    for (const model of examinees) asked.push(await ask(model, { before, wires, options }));
    if (!served.isRunning) throw new Error('the gateway ended during the exam');
    const [standings, shared] = [await served.standings(), await served.sharedRuns()];
    return asked.map((each) => {
      const { id } = each.model;
      const standing = standings.get(id) ?? { state: 'absent', batch: '', reason: '' };
      const result = { ...each, standing, sharedRuns: shared.get(id) ?? 0 };
      options.onResult?.(result);
      return result;
    });
  } finally {
    http.close();
    grpc.close();
    await served.close();
  }
}

/** Typed contents have no field for them. */
function hasHalves(inputs: readonly KitTensor[]): boolean {
  return inputs.some(({ datatype }) => datatype === 'FP16');
}

type Asked = Omit<Result, 'standing' | 'sharedRuns'>;

type Asking = {
  readonly before: ReadonlyMap<string, Standing>;
  readonly wires: readonly Infer[];
  readonly options: ExamOptions;
};

async function ask(model: Examinee, { before, wires, options }: Asking): Promise<Asked> {
  const none: Faults = { count: 0, kept: [] };
  const standing = before.get(model.id);
  const skip = (skipped: string): Asked => ({
    ...{ model, requests: 0, wrong: none, refused: none, skipped },
  });
  if (standing?.state !== 'ready') return skip(`not served: ${standing?.reason ?? 'not listed'}`);
  const questions = await questionsOf(model, options);
  if (typeof questions === 'string') return skip(questions);
  const wrong: string[] = [];
  const refused: string[] = [];
  const left = [...questions];
  const call = async (caller: number): Promise<void> => {
    const infer = wires[caller % wires.length] as Infer;
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const reply = await infer({ model: model.id, inputs: next.inputs });
      if (reply.kind !== 'answer') {
        refused.push(`${shapesOf(next)}: ${describeReply(reply)}`);
        continue;
      }
      const why = differenceOf(next.lone, reply.answer.outputs);
      if (why !== undefined) wrong.push(`${shapesOf(next)}: ${why}`);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, caller) => call(caller)));
  return {
    ...{ model, requests: questions.length, skipped: undefined },
    ...{ wrong: faultsOf(wrong), refused: faultsOf(refused) },
  };
}

function faultsOf(all: readonly string[]): Faults {
  return { count: all.length, kept: all.slice(0, KEPT_MAX) };
}

function shapesOf({ inputs }: Question): string {
  return inputs.map(({ shape }) => `[${shape}]`).join(' ');
}

/** Requests that the model answers alone, with its lone answers; or why there are none. */
async function questionsOf(
  model: Examinee,
  { seed, requestsEach }: ExamOptions,
): Promise<readonly Question[] | string> {
  const random = seededRandom(seed);
  let lone: Lone;
  try {
    lone = await Lone.open(model.bytes);
  } catch (error) {
    return `the runtime alone refuses it: ${firstLine(error)}`;
  }
  try {
    const questions: Question[] = [];
    let refusal = '';
    for (let at = 0; questions.length < requestsEach && at < requestsEach * TRIES; at += 1) {
      const inputs = makeRequest(model, at, random);
      try {
        const answer = await lone.answer(inputs);
        const repeated = await lone.answer(inputs);
        if (differenceOf(answer, repeated) !== undefined) return RANDOM;
        questions.push({ inputs, lone: answer });
      } catch (error) {
        refusal = firstLine(error);
      }
    }
    return questions.length > 0 ? questions : `it answers no request: ${refusal}`;
  } finally {
    await lone.close();
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
