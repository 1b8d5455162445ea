import { tenthsText } from '../../core/text.ts';
import type { LoadFigures } from '../nouns/load-report.ts';

/** What shows whether the generator kept up with the offered load. */
export type LoadSeen = {
  /** Of the measured time. */
  readonly figures: LoadFigures;
  /** A closed loop has no schedule that it could be late for. */
  readonly isOpen: boolean;
  /** The share of the time in which the busiest process had something to do. In an open loop, it turns while it waits. */
  readonly busyRatio: number;
  readonly missed: number;
  readonly heldBack: number;
  readonly heldBackMs: number;
  readonly inFlightMax: number;
  readonly durationMs: number;
  readonly plannedMs: number;
};

/** The share of requests with room that must have been sent within the load's time. */
const STARTED_RATIO_MIN = 0.99;
/** A generator may be as late as this, or as this share of the latency, whichever is more: both at the 99th percentile. */
const LAG_MS_MAX = 1;
const LAG_RATIO_MAX = 0.1;

/** A generator that is busier than this sends as fast as it can itself, regardless of the server. */
const BUSY_RATIO_MAX = 0.95;

const REMEDY =
  'The figures show the generator, not the server: give it more processes or a machine of its own, or offer less.';

/** Why the figures of a load are invalid, in sentences; none: the generator kept up. */
export function warningsOf({ figures, isOpen, busyRatio, missed }: LoadSeen): readonly string[] {
  if (figures.offered === 0)
    return ['No request was meant to start in the measured time: raise the rate or the duration.'];
  if (!isOpen)
    return busyRatio <= BUSY_RATIO_MAX
      ? []
      : [`The generator itself was busy for ${tenthsText(busyRatio)} of the time. ${REMEDY}`];
  const warnings: string[] = [];
  const started = 1 - missed / figures.offered;
  if (started < STARTED_RATIO_MIN)
    warnings.push(
      `Only ${tenthsText(started)} of the ${figures.offered} requests were sent in time, though there was room. ${REMEDY}`,
    );
  const lagMs = figures.lag.p99Ms;
  if (lagMs > Math.max(LAG_MS_MAX, LAG_RATIO_MAX * figures.latency.p99Ms))
    warnings.push(
      `The generator itself was ${lagMs.toFixed(2)} ms late with one request in a hundred, ${latencyNextToLag(figures)}. ${REMEDY}`,
    );
  return warnings;
}

/** Without an answer there is no latency, and 0 would be wrong. */
function latencyNextToLag({ latency }: LoadFigures): string {
  return latency.count === 0
    ? 'and none was answered well'
    : `where the latency is ${latency.p99Ms.toFixed(2)} ms (both p99)`;
}

/** What to know when reading the figures; a note does not make a load invalid. */
export function notesOf(seen: LoadSeen): readonly string[] {
  const { figures, heldBack, heldBackMs, inFlightMax, durationMs, plannedMs } = seen;
  const notes: string[] = [];
  if (heldBack > 0)
    notes.push(
      `${heldBack} requests (${tenthsText(heldBack / Math.max(1, figures.offered))}) waited because ${inFlightMax} were in flight already, ${(heldBackMs / heldBack).toFixed(1)} ms on average. Their wait is in the latency, not in the service time.`,
    );
  if (durationMs < plannedMs)
    notes.push(
      `The load ended after ${(durationMs / 1000).toFixed(1)} of ${(plannedMs / 1000).toFixed(1)} s.`,
    );
  return notes;
}
