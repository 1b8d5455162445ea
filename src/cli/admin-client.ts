import { messageOf } from '../core/errors.ts';
import { CommandError, EXIT } from './exit-code.ts';

/** Longer than any answer of the admin API takes. */
const TIMEOUT_MS = 30_000;

type Call = {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly msMax: number;
};

/** Talks to the admin API of a running gateway. Errors are ready to be shown to the person at the keyboard. */
export class AdminClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url.replace(/\/$/, '');
  }

  get(path: string): Promise<unknown> {
    return this.#call({ method: 'GET', path, body: undefined, msMax: TIMEOUT_MS });
  }

  /** Waits `msMax` milliseconds for the answer, 30 s by default. */
  post(path: string, body: unknown, msMax = TIMEOUT_MS): Promise<unknown> {
    return this.#call({ method: 'POST', path, body, msMax });
  }

  async #call(call: Call): Promise<unknown> {
    const response = await this.#fetch(call);
    const text = await response.text();
    const answer: unknown = parseJson(text);
    if (response.ok) return answer;
    const said = isErrorBody(answer) ? answer.error : text || `status ${response.status}`;
    throw new CommandError(response.status === 400 ? EXIT.usage : EXIT.failed, said);
  }

  async #fetch({ method, path, body, msMax }: Call): Promise<Response> {
    try {
      return await fetch(this.#url + path, {
        method,
        signal: AbortSignal.timeout(msMax),
        ...(body === undefined
          ? {}
          : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      });
    } catch (error) {
      const reason =
        error instanceof Error && error.cause ? messageOf(error.cause) : messageOf(error);
      throw new CommandError(
        EXIT.unreachable,
        `no gateway answers at ${this.#url}: ${reason}. Is it running? Start it with "understudy serve", or name its admin address with --admin.`,
        { cause: error },
      );
    }
  }
}

/** The path of a model's rollout in the admin API. */
export function rolloutPath(model: string): string {
  return `/api/v1/models/${encodeURIComponent(model)}/rollout`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isErrorBody(answer: unknown): answer is { error: string } {
  return (
    typeof answer === 'object' &&
    answer !== null &&
    'error' in answer &&
    typeof answer.error === 'string'
  );
}
