/** Counts, durations, shares and sizes as text, the same everywhere. */

/** Where there is no number to show. */
const NO_NUMBER = '-';

/** With thousands apart: `12,345`. */
export function countText(count: number): string {
  return Number.isFinite(count) ? grouped(count.toFixed(0)) : NO_NUMBER;
}

/** Three significant digits, and all digits before the point: `0.412`, `12.3`, `1,234`. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return NO_NUMBER;
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 0.001) return value.toExponential(1);
  return grouped(value.toFixed(decimalsFor(size)));
}

/** Milliseconds without their unit, for a column that names it. */
export function msNumber(ms: number): string {
  return Number.isFinite(ms) ? numberText(Math.round(ms * 1000) / 1000) : NO_NUMBER;
}

/** A latency in a sentence: `0.412 ms`, `12.3 ms`, `12.3 s`. */
export function msText(ms: number): string {
  if (!Number.isFinite(ms)) return NO_NUMBER;
  return ms < 10_000 ? `${msNumber(ms)} ms` : `${numberText(ms / 1000)} s`;
}

/** A configured number as it was written: `50`, `2.5`. */
export function chosenText(value: number): string {
  return Number.isFinite(value) ? grouped(String(Number(value.toPrecision(6)))) : NO_NUMBER;
}

/** A configured limit: `50 ms`, `20 s`. */
export function limitText(ms: number): string {
  return ms < 10_000 ? `${chosenText(ms)} ms` : `${chosenText(ms / 1000)} s`;
}

/** A duration as text: `800 ms`, `45 s`, `2 min`, `1 h 5 min`, `3 d 2 h`. */
export function durationText(ms: number): string {
  if (!Number.isFinite(ms)) return NO_NUMBER;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Number((ms / 1000).toFixed(1))} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? inUnits(minutes, 60, ['h', 'min']) : inUnits(hours, 24, ['d', 'h']);
}

/** A duration to the second, for displays of running work. */
export function ageText(ms: number): string {
  // The wall clock may have been set back.
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds === 0 ? '0 s' : durationText(seconds * 1000);
}

type UnitNames = readonly [large: string, small: string];

function inUnits(count: number, perLarge: number, [large, small]: UnitNames): string {
  const rest = count % perLarge;
  return `${Math.floor(count / perLarge)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}

/** A ratio of 0 to 1 as `12.3 %`; small shares keep two digits, and a little off all is never shown as all. */
export function percentText(ratio: number): string {
  if (!Number.isFinite(ratio)) return NO_NUMBER;
  const percent = ratio * 100;
  if (percent === 0 || percent === 100) return `${percent} %`;
  const distance = Math.min(Math.abs(percent), Math.abs(100 - percent));
  return `${percent.toFixed(distance >= 1 ? 1 : Math.min(6, 1 - Math.floor(Math.log10(distance))))} %`;
}

/** A ratio of 0 to 1 in percent with always one decimal: `98.0 %`. */
export function tenthsText(ratio: number): string {
  return Number.isFinite(ratio) ? `${(ratio * 100).toFixed(1)} %` : NO_NUMBER;
}

/** Bytes in whole MiB, rounded up: `512 MiB`. */
export function mebibytesText(bytes: number): string {
  return `${Math.ceil(bytes / 1_048_576)} MiB`;
}

/** A quantile of 0 to 1 as text: `99 %`, `99.9 %`. */
export function quantileText(quantile: number): string {
  return Number.isFinite(quantile) ? `${Number((quantile * 100).toFixed(6))} %` : NO_NUMBER;
}

/** A ratio of two figures: `1.12`; three decimals close to 1 would claim more than blocks can show. */
export function ratioText(ratio: number): string {
  if (!Number.isFinite(ratio)) return NO_NUMBER;
  return ratio < 0.1 || ratio >= 100 ? numberText(ratio) : ratio.toFixed(2);
}

/** `1 answer`, `2 answers`. */
export function counted(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function decimalsFor(size: number): number {
  if (size >= 99.95) return 0;
  if (size >= 9.995) return 1;
  return size >= 0.9995 ? 2 : Math.min(6, 2 - Math.floor(Math.log10(size)));
}

function grouped(digits: string): string {
  const [whole = '', fraction] = digits.split('.');
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}
