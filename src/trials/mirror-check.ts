import type { Clock } from '../core/clock.ts';
import type { MirrorCounts } from '../core/evidence.ts';
import type { CheckOutcome } from '../core/messages.ts';
import type { MirrorHealth } from '../core/mirror-health.ts';
import { ageText, countText } from '../core/text.ts';

/** A check that arrived holds for so long; while something is lost it is repeated soon. */
const CHECK_EVERY_MS = 86_400_000;
const RECHECK_EVERY_MS = 10_000;

/** A copy is missed after ten times what the slowest lately took, but not before this. */
const MISSED_AFTER_MS = 20_000;
const MISSED_AFTER_TIMES = 10;

/** How fast the slowest is forgotten, with each copy that gets through. */
const FORGET = 0.99;

/** What a copy may take beyond the mirror's limits: a look's time, and a busy machine's. */
const SLACK_MS = 5_000;

/** So many sampled requests lost and none compared, for so long a time: the mirror carries nothing, even if known requests arrive. */
const LOST_MIN = 10;
const CARRIES_WITHIN_MS = 45_000;

/** Copies, and known requests, under way that are remembered; the mirror holds fewer. */
const UNDER_WAY_MAX = 4_096;
const KNOWN_MAX = 16;

export type MirrorCheckOptions = {
  readonly clock: Pick<Clock, 'monotonicMs' | 'wallMs'>;
  /** The rollout's id, in the ids of its known requests. */
  readonly name: string;
  /** How long the mirror lets a copy wait and run at most, milliseconds. */
  readonly longestMs: number;
  /** Sends a known request under this id; `checked` takes what became of it. */
  readonly send: (requestId: string) => void;
};

/**
 * Watches the mirror of one rollout. A mirror that carries nothing looks from afar like a candidate with no faults, so known
 * requests are sent through it as the rollout begins and daily, and live ones that were sampled must come out as pairs.
 *
 * A loss alone is no fault: a busy mirror drops, and a slow model takes long. Where something is lost, or takes ten times as long as
 * the slowest before, a known request is sent at once; the mirror fails if nothing gets through for as long as a copy may take.
 */
export class MirrorCheck {
  readonly #options: MirrorCheckOptions;
  /** Known requests and copies of live ones that are under way: when each was sent. */
  readonly #known = new Map<string, number>();
  readonly #underWay = new Map<string, number>();
  #sent = 0;
  #sentMs: number | undefined;
  #arrivedWallMs: number | undefined;
  /** The slowest way through of late; undefined: nothing has got through yet. */
  #slowestMs: number | undefined;
  /** Since when things are lost and nothing gets through; undefined: nothing has been lost since. */
  #badMs: number | undefined;
  /** The same for live requests alone. */
  #silentMs: number | undefined;
  /** Why a known request did not get through since. */
  #failure: string | undefined;
  /** At the last look, and when a pair was last compared. */
  #last = { sampled: 0, compared: 0 };
  #lastPair = { sampled: 0 };
  #isFirst = true;

  constructor(options: MirrorCheckOptions) {
    this.#options = options;
  }

  /** A live request was drawn. */
  drawn(requestId: string): void {
    if (this.#underWay.size < UNDER_WAY_MAX)
      this.#underWay.set(requestId, this.#options.clock.monotonicMs());
  }

  /** It came out as a pair, or `lost`: no pair comes of it. */
  settled(requestId: string, outcome: 'paired' | 'lost'): void {
    const drawnMs = this.#underWay.get(requestId);
    this.#underWay.delete(requestId);
    if (drawnMs !== undefined && outcome === 'paired') this.#learn(drawnMs);
  }

  /** Called at each look while the step mirrors: sends what is due, and says how the mirror does. */
  look(mirror: MirrorCounts): MirrorHealth {
    const nowMs = this.#options.clock.monotonicMs();
    this.#count(mirror, nowMs);
    this.#miss(nowMs);
    this.#sendDue(nowMs);
    const why = this.#silence(nowMs) ?? this.#loss(nowMs);
    const works = this.#arrivedWallMs === undefined ? 'unknown' : 'working';
    return { state: why === undefined ? works : 'failing', arrivedMs: this.#arrivedWallMs, why };
  }

  /** What became of a known request. One that arrives late has got through all the same. */
  checked(requestId: string, outcome: CheckOutcome): void {
    const sentMs = this.#known.get(requestId);
    this.#known.delete(requestId);
    if (outcome === 'notMirrored' || sentMs === undefined) return;
    if (outcome === 'arrived') {
      this.#learn(sentMs);
      this.#arrivedWallMs = this.#options.clock.wallMs();
      this.#carries();
      return;
    }
    this.#badMs ??= this.#options.clock.monotonicMs();
    this.#failure = `a known request did not get through the mirror (${outcome})`;
  }

  #learn(sentMs: number): void {
    const tookMs = this.#options.clock.monotonicMs() - sentMs;
    this.#slowestMs = Math.max(tookMs, (this.#slowestMs ?? 0) * FORGET);
  }

  #carries(): void {
    this.#badMs = undefined;
    this.#failure = undefined;
  }

  /** How long a copy may take before it is missed: what the limits allow, where nothing is known of the model. */
  #patienceMs(): number {
    const longestMs = this.#options.longestMs + SLACK_MS;
    if (this.#slowestMs === undefined) return longestMs;
    const usualMs = MISSED_AFTER_TIMES * this.#slowestMs;
    return Math.min(longestMs, Math.max(MISSED_AFTER_MS, usualMs));
  }

  #count(mirror: MirrorCounts, nowMs: number): void {
    const { compared, timedOut, failed } = mirror;
    const dropped = Object.values(mirror.dropped).reduce((sum, count) => sum + count, 0);
    const sampled = compared + timedOut + failed + dropped;
    const last = this.#last;
    this.#last = { sampled, compared };
    if (this.#isFirst || compared > last.compared) {
      this.#isFirst = false;
      this.#carries();
      this.#silentMs = undefined;
      this.#lastPair = { sampled };
      return;
    }
    if (sampled === last.sampled) return;
    this.#badMs ??= nowMs;
    this.#silentMs ??= nowMs;
  }

  /** What has been under way for too long is as good as lost. */
  #miss(nowMs: number): void {
    const patienceMs = this.#patienceMs();
    for (const [requestId, drawnMs] of this.#underWay) {
      if (nowMs - drawnMs < patienceMs) break;
      this.#badMs ??= nowMs;
      if (nowMs - drawnMs < this.#options.longestMs + SLACK_MS) break;
      this.#underWay.delete(requestId);
    }
    for (const [, sentMs] of this.#known) {
      if (nowMs - sentMs < patienceMs) continue;
      this.#badMs ??= nowMs;
      this.#failure ??= `a known request was lost in the mirror: it did not arrive within ${ageText(patienceMs)}`;
    }
  }

  #sendDue(nowMs: number): void {
    const sentMs = this.#sentMs;
    const everyMs = this.#badMs === undefined ? CHECK_EVERY_MS : RECHECK_EVERY_MS;
    const isPending = this.#known.size > 0 && this.#failure === undefined;
    if (sentMs !== undefined && (isPending || nowMs - sentMs < everyMs)) return;
    this.#sentMs = nowMs;
    this.#sent += 1;
    const requestId = `${this.#options.name}:check-${this.#sent}`;
    const [oldest] = this.#known.keys();
    if (this.#known.size >= KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
    // Before it is sent: what became of it may be known at the return.
    this.#known.set(requestId, nowMs);
    this.#options.send(requestId);
  }

  #loss(nowMs: number): string | undefined {
    if (this.#badMs === undefined || nowMs - this.#badMs < this.#patienceMs()) return undefined;
    return this.#failure;
  }

  #silence(nowMs: number): string | undefined {
    if (this.#silentMs === undefined) return undefined;
    const lost = this.#last.sampled - this.#lastPair.sampled;
    const forMs = nowMs - this.#silentMs;
    if (lost < LOST_MIN || forMs < Math.max(CARRIES_WITHIN_MS, this.#patienceMs()))
      return undefined;
    return `the mirror has carried nothing for ${ageText(forMs)}: of ${countText(lost)} sampled requests none was compared`;
  }
}
