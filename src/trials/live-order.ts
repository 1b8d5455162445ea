import type { LiveDraw, LiveEnd } from '../core/messages.ts';

/** Takes a live request, whole. */
export type TakeLive = (drawn: LiveDraw, end: LiveEnd) => void;

type Request = { readonly drawn: LiveDraw; end: LiveEnd | undefined };

/**
 * Puts live requests back in the order of their assignment: a slow arm's failures end late, and would be missing from any look
 * taken before. A request that is still under way holds back those assigned after it; deadlines bound how long, and so how many.
 */
export class LiveOrder {
  /** By request id, in the order of assignment. */
  readonly #requests = new Map<string, Request>();
  readonly #take: TakeLive;

  /** `take` is called once for each request. What it throws holds nothing up: the request is gone, and the first fault is thrown on. */
  constructor(take: TakeLive) {
    this.#take = take;
  }

  assigned(requestId: string, drawn: LiveDraw): void {
    this.#requests.set(requestId, { drawn, end: undefined });
  }

  /** A request that was assigned before this rollout began is not known here, and counts for none. */
  ended(requestId: string, end: LiveEnd): void {
    const request = this.#requests.get(requestId);
    if (request === undefined) return;
    request.end = end;
    let faults: unknown[] | undefined;
    for (const [id, { drawn, end: known }] of this.#requests) {
      if (known === undefined) break;
      this.#requests.delete(id);
      try {
        this.#take(drawn, known);
      } catch (thrown) {
        faults = [...(faults ?? []), thrown];
      }
    }
    if (faults !== undefined) throw faults[0];
  }

  /** Requests that have been assigned and not handed on. */
  get size(): number {
    return this.#requests.size;
  }
}
