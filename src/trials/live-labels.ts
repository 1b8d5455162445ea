import type { LabelStore } from '../capture/label-store.ts';
import { LabelWait, type Mature } from '../capture/label-wait.ts';
import { LiveLossTally, type LossBounds } from '../compare/live-loss-tally.ts';
import type { KeptAnswer } from '../compare/losses/loss-rule.ts';
import { UnitFilter } from '../compare/unit-filter.ts';
import type { Clock } from '../core/clock.ts';
import { type LiveLossEvidence, NO_DIFFERENCES } from '../core/evidence.ts';
import { saltedHash } from '../core/hash.ts';
import type { LabelState } from '../core/label-state.ts';
import type { EndedReport, LiveDraw } from '../core/messages.ts';
import { DEFAULT_UNIT, type RolloutSpec } from '../core/rollout.ts';
import { recordedWithinMs } from './label-window.ts';
import type { Losses } from './labels.ts';

/** What is kept of a live answer: its arm, its exposure, and what its loss needs. */
type KeptLive = readonly [side: LiveDraw['side'], place: string, answer: KeptAnswer];

export type LiveLabelsOptions = {
  readonly spec: RolloutSpec;
  readonly from: LiveLossEvidence | undefined;
  readonly losses: Losses;
  readonly windowMs: () => number;
  readonly storeBytesMax: () => number;
  readonly startedMs: number;
  readonly store?: LabelStore | undefined;
  readonly clock: Pick<Clock, 'wallMs'>;
};

const NONE: LiveLossEvidence = {
  differences: NO_DIFFERENCES,
  places: {},
  countedUntilMs: 0,
  units: {},
};

/** Labels of live answers, by the arm that was drawn for the request, counted once the label window of their unit has ended. */
export class LiveLabels {
  readonly #options: LiveLabelsOptions;
  readonly #wait: LabelWait<KeptLive>;
  readonly #tally: LiveLossTally;
  readonly #drawn = new Map<string, LiveDraw>();
  readonly #counted: UnitFilter;

  constructor(options: LiveLabelsOptions) {
    this.#options = options;
    const { spec, from = NONE, losses, clock, startedMs } = options;
    this.#tally = new LiveLossTally(from);
    this.#counted = new UnitFilter(from.units);
    this.#wait = new LabelWait<KeptLive>({
      windowMs: options.windowMs,
      unit: spec.unit ?? DEFAULT_UNIT,
      bytesMax: options.storeBytesMax,
      countedUntilMs: from.countedUntilMs,
      clock,
      check: losses.stable.check,
      lossesOf: ([side, , answer], label) => [
        side === 'candidate'
          ? losses.candidate.loss(answer, label)
          : losses.stable.loss(answer, label),
      ],
      canonical: losses.stable.canonical,
      payloadOf: (stored) => (isKeptLive(stored, losses) ? stored : undefined),
      recordedWithinMs: () => recordedWithinMs(clock.wallMs() - startedMs),
      isCounted: (unit) => this.#counted.has(unit),
      onMature: (unit, hash) => {
        if (hash === undefined || this.#counted.add(hash)) this.#count(unit);
      },
      store: options.store,
    });
    void this.#wait.restore();
  }

  assigned(requestId: string, drawn: LiveDraw): void {
    const { candidateBp, referenceBp } = drawn.exposure;
    // Where one arm has no share there is nothing to compare with.
    if (candidateBp === 0 || referenceBp === 0) return;
    this.#drawn.set(requestId, drawn);
    this.#wait.expect(requestId);
  }

  /** `outputs`: of its answer; undefined: it failed, whichever version answered in its place. */
  ended({ requestId, end, outputs }: EndedReport): void {
    const drawn = this.#drawn.get(requestId);
    if (drawn === undefined) return;
    this.#drawn.delete(requestId);
    const { losses, spec } = this.#options;
    const { side, unit, exposure } = drawn;
    const rule = side === 'candidate' ? losses.candidate : losses.stable;
    const answer =
      outputs === undefined ? 'failed' : rule.keep({ kind: 'answer', outputs, computeMs: 0 });
    if (answer === undefined) {
      this.#wait.abandon(requestId);
      return;
    }
    const place = `${exposure.candidateBp}:${exposure.referenceBp}`;
    const hash = unit === undefined ? undefined : saltedHash(`${spec.salt}:evidence`, unit);
    this.#wait.keep(requestId, { unit: hash, sameAs: end.content, payload: [side, place, answer] });
  }

  /** Throws ServeError invalid_input for a label that the model does not know. */
  label(requestId: string, label: unknown): LabelState {
    return this.#wait.label(requestId, label);
  }

  snapshot(): LiveLossEvidence {
    this.#wait.settle();
    const { countedUntilMs } = this.#wait.counts();
    return { ...this.#tally.snapshot(), countedUntilMs, units: this.#counted.snapshot() };
  }

  async close(isOver: boolean): Promise<void> {
    const { store } = this.#options;
    await (isOver ? store?.remove() : store?.close());
  }

  /** A unit is of the arm that its first request was drawn to; where a step moved it, its later answers do not count. */
  #count(unit: readonly Mature<KeptLive>[]): void {
    const [first] = unit;
    if (first === undefined) return;
    const [side, place] = first.payload;
    const losses = unit.flatMap((answer) => {
      const { payload } = answer;
      return payload[0] === side && payload[1] === place ? (boundsOf(answer) ?? []) : [];
    });
    const mean = (sum: number): number => sum / losses.length;
    const low = mean(losses.reduce((sum, each) => sum + each.low, 0));
    const high = mean(losses.reduce((sum, each) => sum + each.high, 0));
    this.#tally.add({ side, place, loss: losses.length === 0 ? undefined : { low, high } });
  }
}

/** Labels that contradict each other leave any loss possible; one that failed is as wrong as can be for any of them. */
function boundsOf({ payload, losses, isConflicting }: Mature<KeptLive>): LossBounds | undefined {
  if (isConflicting && typeof payload[2] !== 'string') return { low: 0, high: 1 };
  const [loss] = losses ?? [];
  return loss === undefined ? undefined : { low: loss, high: loss };
}

function isKeptLive(stored: unknown, losses: Losses): stored is KeptLive {
  if (!Array.isArray(stored) || stored.length !== 3) return false;
  const [side, place, answer] = stored as readonly unknown[];
  const isSide = side === 'candidate' || side === 'reference';
  if (!isSide || typeof place !== 'string') return false;
  return (side === 'candidate' ? losses.candidate : losses.stable).isKept(answer);
}
