import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { readText } from '../../core/read-text.ts';
import type { Target } from '../nouns/target.ts';
import { originOf } from '../nouns/wire.ts';
import { tlsOptionsOf } from '../wire/tls-options.ts';
import type { Control, Question, Reply } from './control.ts';
import { unanswered, unreachable } from './unreachable.ts';

/** Some servers answer in text or a page where they have nothing; no more of it than this is shown. */
const DETAILS_LENGTH_MAX = 200;

/** Of metadata and statistics: of thousands of models, that is. */
const BODY_BYTES_MAX = 16 * 2 ** 20;

/** Asks over REST: one connection for each question. */
export class RestControl implements Control {
  readonly #target: Target;
  readonly #msMax: number;

  constructor(target: Target, msMax: number) {
    this.#target = target;
    this.#msMax = msMax;
  }

  nameOf(question: Question): string {
    const method = question === 'index' ? 'POST' : 'GET';
    return `${method} ${originOf(this.#target.address)}${this.#pathOf(question)}`;
  }

  async ask(question: Question): Promise<Reply> {
    const signal = AbortSignal.timeout(this.#msMax);
    try {
      return await this.#exchange(question, signal);
    } catch (error) {
      const asked = this.nameOf(question);
      if (signal.aborted) throw unanswered(this.#target, asked, this.#msMax);
      throw unreachable(this.#target, asked, error);
    }
  }

  async #exchange(question: Question, signal: AbortSignal): Promise<Reply> {
    const { address, headers } = this.#target;
    const isIndex = question === 'index';
    const options = {
      host: address.host,
      port: address.port,
      path: this.#pathOf(question),
      method: isIndex ? 'POST' : 'GET',
      headers: isIndex ? { ...headers, 'content-type': 'application/json' } : headers,
      agent: false,
      signal,
    } as const;
    const request = address.tls
      ? httpsRequest({ ...options, ...tlsOptionsOf(address) })
      : httpRequest(options);
    request.end(isIndex ? '{}' : undefined);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return replyOf(response.statusCode ?? 0, await readText(response, BODY_BYTES_MAX));
  }

  #pathOf(question: Question): string {
    if (question === 'server') return '/v2';
    if (question === 'index') return '/v2/repository/index';
    const { model, version } = this.#target;
    const path = `/v2/models/${encodeURIComponent(model)}`;
    const whole = version === undefined ? path : `${path}/versions/${encodeURIComponent(version)}`;
    return question === 'statistics' ? `${whole}/stats` : whole;
  }
}

function replyOf(status: number, text: string): Reply {
  const value = parsed(text);
  if (status === 200 && value !== undefined) return { kind: 'answer', value };
  const said = (value as { error?: unknown } | null | undefined)?.error;
  const details = typeof said === 'string' ? said : text.slice(0, DETAILS_LENGTH_MAX);
  return {
    kind: 'refusal',
    status: String(status),
    details: status === 200 ? `no JSON: ${details}` : details,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
