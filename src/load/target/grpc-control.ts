import { deferred } from '../../concurrency/deferred.ts';
import type { Target } from '../nouns/target.ts';
import { originOf } from '../nouns/wire.ts';
import { type GrpcAnswer, GrpcSender } from '../wire/grpc-sender.ts';
import type { Control, Question, Reply } from './control.ts';
import { decodeResponse, encodeRequest, type ResponseName } from './grpc-messages.ts';
import { unanswered, unreachable } from './unreachable.ts';

const SERVICE = 'inference.GRPCInferenceService';

type Method = { readonly name: string; readonly answer: ResponseName };

const METHODS: Readonly<Record<Question, Method>> = {
  server: { name: 'ServerMetadata', answer: 'ServerMetadataResponse' },
  model: { name: 'ModelMetadata', answer: 'ModelMetadataResponse' },
  statistics: { name: 'ModelStatistics', answer: 'ModelStatisticsResponse' },
  index: { name: 'RepositoryIndex', answer: 'RepositoryIndexResponse' },
};

/**
 * Asks over gRPC, by the sender of the load itself and the few messages that this takes: reading the proto files and loading a
 * library's client would take longer than all of the questions.
 */
export class GrpcControl implements Control {
  readonly #target: Target;
  readonly #msMax: number;

  constructor(target: Target, msMax: number) {
    this.#target = target;
    this.#msMax = msMax;
  }

  nameOf(question: Question): string {
    return `${METHODS[question].name} of ${originOf(this.#target.address)}`;
  }

  async ask(question: Question): Promise<Reply> {
    const asked = this.nameOf(question);
    const answer = await this.#call(question).catch((error: unknown) => {
      throw unreachable(this.#target, asked, error);
    });
    if (answer === undefined) throw unanswered(this.#target, asked, this.#msMax);
    return replyOf(METHODS[question].answer, answer);
  }

  /** Resolves with undefined where the answer is late. */
  async #call(question: Question): Promise<GrpcAnswer | undefined> {
    const { address, headers, model: name, version = '' } = this.#target;
    const path = `/${SERVICE}/${METHODS[question].name}`;
    const isOfModel = question === 'model' || question === 'statistics';
    const sender = new GrpcSender({ address, path, headers, connections: 1 });
    const late = deferred<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), this.#msMax);
    try {
      const request = encodeRequest(isOfModel ? { name, version } : {});
      return await Promise.race([sender.send(request), late.promise]);
    } finally {
      clearTimeout(timer);
      sender.close();
    }
  }
}

function replyOf(response: ResponseName, { error, details, body }: GrpcAnswer): Reply {
  if (error !== undefined) return { kind: 'refusal', status: error, details };
  try {
    return { kind: 'answer', value: decodeResponse(response, body) };
  } catch {
    return { kind: 'refusal', status: 'OK', details: `no ${response}` };
  }
}
