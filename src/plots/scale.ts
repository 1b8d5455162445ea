/** A place on an axis that is named. */
export type Tick = { readonly value: number; readonly label: string };

/** How values lie along an axis. */
export type Scale = {
  readonly from: number;
  readonly to: number;
  /** 0 at `from`, 1 at `to`; what lies outside is put on the edge. */
  readonly at: (value: number) => number;
  /** Rising, within the range. */
  readonly ticks: readonly Tick[];
};

/** Nothing that is measured lies beyond; the arithmetic of what does would overflow. */
const MOST = 1e15;
const LEAST_POSITIVE = 1e-9;

/** Whether a value can have a place on an axis. */
export function hasScale(value: number): boolean {
  return Math.abs(value) <= MOST;
}

/** Even steps of 1, 2 or 5 times a power of ten. */
export function linearScale(from: number, to: number, ticksMax = 6): Scale {
  const [low, high] = ordered(from, to);
  const step = niceStep((high - low) / Math.max(1, ticksMax - 1));
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.max(0, Math.floor(high / step + 1e-9) - first + 1);
  const ticks = Array.from({ length: count }, (_, place) => {
    const value = clamp((first + place) * step, low, high);
    return { value, label: tickLabel(value, decimals) };
  });
  return { from: low, to: high, at: (value) => clamp((value - low) / (high - low), 0, 1), ticks };
}

/** Each tenfold takes the same room. `from` must be above 0; what is not lies on the lower edge. */
export function logScale(from: number, to: number, ticksMax = 8): Scale {
  const low = from > 0 && Number.isFinite(from) ? clamp(from, LEAST_POSITIVE, MOST) : 1;
  const high = to > low * 1.001 && Number.isFinite(to) ? Math.min(to, 10 * MOST) : low * 10;
  const span = Math.log(high / low);
  const at = (value: number): number => (value > 0 ? clamp(Math.log(value / low) / span, 0, 1) : 0);
  const candidates = [[1, 2, 5], [1, 3], [1]].map((digits) => logTicks(low, high, digits));
  const fine = candidates.find((ticks) => ticks.length <= ticksMax);
  const ticks = fine ?? thinned(candidates.at(-1) ?? [], ticksMax);
  // Less than a third of a decade has hardly a round number of this kind in it.
  const enough = ticks.length >= 3 ? ticks : linearScale(low, high, ticksMax).ticks;
  return { from: low, to: high, at, ticks: enough };
}

const PERCENTILES = [50, 90, 99, 99.9, 99.99];

/** Percentiles from 0 on, each nine taking the same room: as far as 1 / (1 - p) rises, on a log scale. */
export function percentileScale(to: number): Scale {
  const high = clamp(Number.isFinite(to) ? to : 99, 50, 99.999);
  const ninesOf = (percentile: number): number => -Math.log10(1 - percentile / 100);
  const at = (value: number): number =>
    value >= high ? 1 : clamp(ninesOf(Math.max(0, value)) / ninesOf(high), 0, 1);
  const ticks = PERCENTILES.filter((value) => value <= high);
  return {
    from: 0,
    to: high,
    at,
    ticks: ticks.map((value) => ({ value, label: `${value} %` })),
  };
}

/** The next 1, 2 or 5 times a power of ten at or above (`up`) or below a positive value. */
export function roundOut(value: number, direction: 'up' | 'down'): number {
  if (!(value >= LEAST_POSITIVE) || !Number.isFinite(value)) return value > 0 ? LEAST_POSITIVE : 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const digits = [1, 2, 5, 10].map((digit) => digit * power);
  const slack = 1e-9 * value;
  const above = digits.find((digit) => digit >= value - slack);
  const below = digits.findLast((digit) => digit <= value + slack);
  return (direction === 'up' ? above : below) ?? value;
}

function logTicks(low: number, high: number, digits: readonly number[]): readonly Tick[] {
  const slack = 1 + 1e-9;
  const ticks: Tick[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const digit of digits) {
      const value = Number(`${digit}e${power}`);
      if (value >= low / slack && value <= high * slack)
        ticks.push({
          value: clamp(value, low, high),
          label: tickLabel(value, Math.max(0, -power)),
        });
    }
  }
  return ticks;
}

function thinned(ticks: readonly Tick[], ticksMax: number): readonly Tick[] {
  const every = Math.ceil(ticks.length / Math.max(1, ticksMax));
  return ticks.filter((_, place) => place % every === 0);
}

function niceStep(step: number): number {
  const up = roundOut(step, 'up');
  return up > 0 ? up : 1;
}

function tickLabel(value: number, decimals: number): string {
  const size = Math.abs(value);
  if (size >= 1e9 || (size > 0 && size < 1e-6)) return value.toExponential(0);
  const [whole = '', fraction] = value.toFixed(Math.min(decimals, 9)).split('.');
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

/** A range that is not empty: around a single value there is room on both sides. */
function ordered(from: number, to: number): readonly [number, number] {
  const low = Number.isFinite(from) ? clamp(from, -MOST, MOST) : 0;
  const high = Number.isFinite(to) ? clamp(to, -MOST, MOST) : low + 1;
  if (high > low && high - low > 1e-12 * Math.abs(high)) return [low, high];
  return [low, low + Math.max(1, Math.abs(low) * 0.1)];
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
