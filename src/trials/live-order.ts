import type { LiveDraw, LiveEnd, LiveObservation } from '../core/messages.ts';

type Request = { readonly drawn: LiveDraw; end: LiveEnd | undefined };

/**
 * Puts live requests back in the order of their assignment: a slow arm's failures end late, and would be missing from any look
 * taken before. A request that is still under way holds back those assigned after it; deadlines bound how long, and so how many.
 */
export class LiveOrder {
  /** By request id, in the order of assignment. */
  readonly #requests = new Map<string, Request>();
  readonly #add: (live: LiveObservation) => void;

  /** `add` takes each request once, whole. What it throws holds nothing up: the request is gone, and the first fault is thrown on. */
  constructor(add: (live: LiveObservation) => void) {
    this.#add = add;
  }

  assigned(requestId: string, drawn: LiveDraw): void {
    this.#requests.set(requestId, { drawn, end: undefined });
  }

  /** A request that was assigned before this rollout began is not known here, and counts for none. */
  ended(requestId: string, end: LiveEnd): void {
    const request = this.#requests.get(requestId);
    if (request === undefined) return;
    request.end = end;
    const faults: unknown[] = [];
    for (const [id, { drawn, end: known }] of this.#requests) {
      if (known === undefined) break;
      this.#requests.delete(id);
      try {
        this.#add({ ...drawn, ...known });
      } catch (thrown) {
        faults.push(thrown);
      }
    }
    if (faults.length > 0) throw faults[0];
  }

  /** Requests that have been assigned and not handed on. */
  get size(): number {
    return this.#requests.size;
  }
}
