import { type Case, judged, type Level, type Section } from '../case.ts';
import { describeAnswer, errorOf, type HttpAnswer, type HttpRequest } from '../wire/http.ts';
import { isArray, isObject, type Json, type JsonObject } from '../wire/json.ts';

type HttpOptions = {
  readonly id: string;
  readonly section: Section;
  readonly level?: Level;
  readonly extension?: string;
  readonly claim: string;
  readonly reference: string;
  readonly models?: readonly string[];
  readonly request: HttpRequest;
  /** What was expected and did not come; undefined where all is right. */
  readonly check: HttpCheck;
};

export type HttpCheck = (answer: HttpAnswer) => string | undefined;

/** One HTTP exchange, written down byte by byte, and what must hold of its answer. */
export function httpCase(options: HttpOptions): Case {
  const { id, section, level = 'required', claim, reference, models = [], extension } = options;
  const { request, check } = options;
  return {
    ...{ id, section, level, claim, reference, models },
    ...(extension !== undefined && { extension }),
    wires: ['http'],
    run: async ({ http }) => {
      const answer = await http.send(request);
      const expected = check(answer);
      const found = describeAnswer(answer);
      return judged(
        describeRequest(request),
        expected === undefined ? undefined : { expected, found },
      );
    },
  };
}

export function describeRequest({ method = 'GET', path, headers, body }: HttpRequest): string {
  const shown = Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${String(value)}`);
  const text = typeof body === 'string' ? body : body && `${body.length} bytes`;
  return [`${method} ${path}`, ...shown, text?.slice(0, 160)].filter(Boolean).join(' | ');
}

/** Holds where every one of these does; the first that does not is named. */
export function all(...checks: readonly HttpCheck[]): HttpCheck {
  return (answer) => {
    for (const check of checks) {
      const wrong = check(answer);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
}

export function isStatus(...statuses: readonly number[]): HttpCheck {
  return ({ status }) =>
    statuses.includes(status) ? undefined : `status ${statuses.join(' or ')}`;
}

/** A refusal as the protocol has it: one of these statuses and a JSON body with a text `error`. */
export function isRefusal(...statuses: readonly number[]): HttpCheck {
  return all(isStatus(...statuses), (answer) =>
    errorOf(answer)?.trim() ? undefined : 'a body {"error": "<what is wrong>"}',
  );
}

/** A JSON object that `wrong` finds nothing wrong with. */
export function isJson(wrong: (body: JsonObject) => string | undefined): HttpCheck {
  return ({ json }) => (isObject(json) ? wrong(json) : 'a JSON object');
}

/** True where it is a list of strings. */
export function isTexts(value: Json | undefined): value is readonly string[] {
  return isArray(value) && value.every((each) => typeof each === 'string');
}
