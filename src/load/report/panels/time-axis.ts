import type { Axis, LinePlot } from '../../../plots/lines.ts';
import type { Interval, LoadReport } from '../../nouns/load-report.ts';

/** The time of a load in a readable unit, with the warm-up marked. */
export type TimeAxis = {
  readonly x: Axis;
  readonly bands: NonNullable<LinePlot['bands']>;
  /** The middle of an interval, on the axis. */
  readonly middle: (interval: Interval) => number;
  /** Milliseconds after the start, on the axis. */
  readonly at: (ms: number) => number;
};

const UNITS = [
  { ms: 3_600_000, name: 'hours', short: ' h' },
  { ms: 60_000, name: 'minutes', short: ' min' },
  { ms: 1000, name: 'seconds', short: ' s' },
] as const;

export function timeAxis({ durationMs, warmupMs, timeline }: LoadReport): TimeAxis {
  const last = timeline.at(-1);
  const endMs = Math.max(durationMs, last === undefined ? 0 : last.fromMs + last.forMs);
  const unit = UNITS.find(({ ms }) => endMs >= 3 * ms) ?? UNITS[2];
  const at = (ms: number): number => ms / unit.ms;
  return {
    x: {
      label: `${unit.name} since the start`,
      scale: 'linear',
      from: 0,
      to: at(endMs),
      unit: unit.short,
    },
    bands: warmupMs > 0 ? [{ from: 0, to: at(warmupMs), name: 'warm-up' }] : [],
    middle: ({ fromMs, forMs }) => at(fromMs + forMs / 2),
    at,
  };
}
