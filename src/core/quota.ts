/** How many requests for inference a caller may send to a model. */
export type QuotaRule = {
  /** The name of a caller, such as `key:batch`; `*`: each one. */
  readonly caller: string;
  /** `*`: each one. */
  readonly model: string;
  /** Requests a second, in the long run; undefined: any number. */
  readonly perSecond: number | undefined;
  /** Requests at once after a pause. */
  readonly burst: number;
  /** Requests in flight; undefined: any number. */
  readonly concurrent: number | undefined;
};

/** For each caller, or for each model. */
export const EACH = '*';

/** Which limit a request was over. */
export type QuotaReason = 'rate' | 'concurrency';

/** A place among the requests in flight. */
export type QuotaHold = {
  /** Gives the place back; only the first call counts. */
  readonly release: () => void;
};

/** Takes requests in, up to what each caller may send to each model. */
export type Quotas = {
  /**
   * Counts a request that arrives. Undefined: no rule limits it.
   * @throws ServeError `rate_limited` where it is over its quota, with the time after which to try again.
   */
  readonly take: (caller: string, model: string) => QuotaHold | undefined;
};

/** The most specific rule: both named, then the caller, then the model, then neither. */
export function ruleFor(
  rules: readonly QuotaRule[],
  caller: string,
  model: string,
): QuotaRule | undefined {
  let [best, rank]: [QuotaRule | undefined, number] = [undefined, -1];
  for (const rule of rules) {
    if (rule.caller !== EACH && rule.caller !== caller) continue;
    if (rule.model !== EACH && rule.model !== model) continue;
    const found = (rule.caller === EACH ? 0 : 2) + (rule.model === EACH ? 0 : 1);
    if (found > rank) [best, rank] = [rule, found];
  }
  return best;
}
