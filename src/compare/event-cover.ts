/**
 * A stall, a failed batch or a full queue hits many requests together, and is one toss of the coin, not many. So once a bad
 * event has counted, requests that begin before it has ended do not count at all: neither as events nor as trials. Requests
 * that share a run with it are always among them, since they began before the run did.
 *
 * Why trials too: or else the rate of events per trial would fall as events crowd together.
 *
 * Why one cover for both arms and both kinds of event: would each arm have its own, then the arm with more traffic would
 * overlap with itself more often and lose more of its events, and at 5 % against 95 % with equal rates the candidate would
 * look guilty. With one cover the next request to count is the first that begins after the last event has ended, whichever
 * arm it is in. That depends on the past alone, so its arm is a coin of the known odds.
 *
 * Why it does not grow by events inside it: or else a candidate that always fails would be one single event.
 *
 * Requests are offered in the order in which they were assigned.
 */
export class EventCover {
  #untilMs = Number.NEGATIVE_INFINITY;

  /** True if a request that began at this moment falls under an event that has counted. Monotonic milliseconds. */
  covers(startedMs: number): boolean {
    return startedMs <= this.#untilMs;
  }

  /** An event has counted: what begins until it ended is part of it. */
  begin(endedMs: number): void {
    this.#untilMs = endedMs;
  }
}
