import type { Clock } from '../core/clock.ts';
import type { MirrorCounts } from '../core/evidence.ts';
import type { CheckOutcome } from '../core/messages.ts';
import type { MirrorHealth } from '../core/mirror-health.ts';
import { ageText, countText } from '../core/text.ts';

/** A known request that has not arrived by then does not work. Longer than any copy waits and runs. */
const ARRIVES_WITHIN_MS = 30_000;

/** A check that arrived holds for so long; one that did not is repeated soon. */
const CHECK_EVERY_MS = 86_400_000;
const RECHECK_EVERY_MS = 60_000;

/** Sampled requests of so long a time of which none was compared say that nothing gets through. */
const CARRIES_WITHIN_MS = 60_000;

export type MirrorCheckOptions = {
  readonly clock: Clock;
  /** The rollout's id, in the ids of its known requests. */
  readonly name: string;
  /** Sends a known request under this id; `checked` takes what became of it. */
  readonly send: (requestId: string) => void;
};

type Sent = { readonly requestId: string; readonly atMs: number };

/**
 * Watches the mirror of one rollout. A mirror that carries nothing looks from afar like a candidate with no faults, so known
 * requests are sent through it as the rollout begins and daily, and live ones that were sampled must come out as pairs.
 */
export class MirrorCheck {
  readonly #options: MirrorCheckOptions;
  #sent = 0;
  #pending: Sent | undefined;
  #sentMs: number | undefined;
  #arrivedMs: number | undefined;
  #arrivedWallMs: number | undefined;
  #failure: string | undefined;
  /** Counts when a pair was last compared, or when sampling began after that. */
  #lastPair = { atMs: 0, sampled: 0, compared: -1 };

  constructor(options: MirrorCheckOptions) {
    this.#options = options;
  }

  /** Called at each look while the step mirrors: sends what is due, and says how the mirror does. */
  look(mirror: MirrorCounts): MirrorHealth {
    const nowMs = this.#options.clock.monotonicMs();
    this.#giveUp(nowMs);
    this.#sendDue(nowMs);
    const silence = this.#silence(mirror, nowMs);
    const why = this.#failure ?? silence;
    const works = this.#arrivedMs === undefined ? 'unknown' : 'working';
    return { state: why === undefined ? works : 'failing', arrivedMs: this.#arrivedWallMs, why };
  }

  /** What became of a known request. A late answer to an earlier one says nothing new. */
  checked(requestId: string, outcome: CheckOutcome): void {
    const sent = this.#pending;
    if (sent?.requestId !== requestId) return;
    this.#pending = undefined;
    if (outcome === 'arrived') {
      this.#arrivedMs = this.#options.clock.monotonicMs();
      this.#arrivedWallMs = this.#options.clock.wallMs();
      this.#failure = undefined;
    } else if (outcome !== 'notMirrored') {
      this.#failure = `a known request did not get through the mirror (${outcome})`;
    }
  }

  #giveUp(nowMs: number): void {
    if (this.#pending === undefined || nowMs - this.#pending.atMs < ARRIVES_WITHIN_MS) return;
    this.#pending = undefined;
    this.#failure = `a known request was lost in the mirror: it did not arrive within ${ageText(ARRIVES_WITHIN_MS)}`;
  }

  #sendDue(nowMs: number): void {
    if (this.#pending !== undefined) return;
    const isGood = this.#failure === undefined && this.#arrivedMs !== undefined;
    const everyMs = isGood ? CHECK_EVERY_MS : RECHECK_EVERY_MS;
    if (this.#sentMs !== undefined && nowMs - this.#sentMs < everyMs) return;
    this.#sentMs = nowMs;
    this.#sent += 1;
    const requestId = `${this.#options.name}:check-${this.#sent}`;
    // Before it is sent: what became of it may be known at the return.
    this.#pending = { requestId, atMs: nowMs };
    this.#options.send(requestId);
  }

  #silence(mirror: MirrorCounts, nowMs: number): string | undefined {
    const { compared, timedOut, failed } = mirror;
    const dropped = Object.values(mirror.dropped).reduce((sum, count) => sum + count, 0);
    const sampled = compared + timedOut + failed + dropped;
    const last = this.#lastPair;
    if (compared !== last.compared || sampled === last.sampled) {
      // Live requests get through, so the mirror works, even if the known one did not.
      if (last.compared >= 0 && compared > last.compared) this.#failure = undefined;
      this.#lastPair = { atMs: nowMs, sampled, compared };
      return undefined;
    }
    const silentMs = nowMs - last.atMs;
    if (silentMs < CARRIES_WITHIN_MS) return undefined;
    return `the mirror has carried nothing for ${ageText(silentMs)}: of ${countText(sampled - last.sampled)} sampled requests none was compared`;
  }
}
