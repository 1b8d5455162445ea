import { CommandError, EXIT } from '../exit-code.ts';

const MS_PER = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Ends the command: what the option expects, and what it was given. */
export function wrongOption(option: string, wanted: string, found: string): CommandError {
  return new CommandError(EXIT.usage, `--${option}: expected ${wanted}, found "${found}"`);
}

/** `250ms`, `30s`, `1.5m`, `2h`: milliseconds, 0 allowed. */
export function readTime(option: string, text: string): number {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined)
    throw wrongOption(option, 'a time such as 250ms, 30s or 5m', text);
  return Number(amount) * MS_PER[unit as keyof typeof MS_PER];
}

export function readWhole(option: string, text: string, range: Range): number {
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= range.min && value <= range.max) return value;
  throw wrongOption(option, `a whole number from ${range.min} to ${range.max}`, text);
}

export function readNumber(option: string, text: string, range: Range): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= range.min && value <= range.max) return value;
  throw wrongOption(option, `a number from ${range.min} to ${range.max}`, text);
}

/** Above 0 and below 1. */
export function readShare(option: string, text: string): number {
  const value = Number(text);
  if (value > 0 && value < 1) return value;
  throw wrongOption(option, 'a number above 0 and below 1, such as 0.99', text);
}

/** Requests a second. */
export function readRate(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= RATE_MAX) return value;
  throw wrongOption(option, `a number above 0, at most ${RATE_MAX}`, text);
}

export type Range = { readonly min: number; readonly max: number };

/** More than this no single machine sends. */
const RATE_MAX = 1_000_000;
