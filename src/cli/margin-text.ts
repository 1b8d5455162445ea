import { checked } from '../config/checked.ts';
import { rolloutKeys } from '../config/rollout-section.ts';
import { messageOf } from '../core/errors.ts';
import type { Margins } from '../core/rollout.ts';
import { chosenText } from '../core/text.ts';
import { CommandError, EXIT } from './exit-code.ts';

/** The metrics whose recorded evidence can be asked about another margin, each with the form of one. */
const FORMS = {
  disagreement: 'rate',
  pairedErrors: 'either',
  labelledLoss: 'rate',
  errors: 'claim',
  slowRequests: 'claim',
} as const;

type Askable = keyof typeof FORMS;

const RATE = /^(\d+(?:\.\d+)?)(%?)$/;
const CLAIM = /^(\d+(?:\.\d+)?)x\+(\d+(?:\.\d+)?)(%?)$/;

/**
 * Reads `errors=3x+0.1%,labelledLoss=1%`: margins in the form in which results show them. Returns the rollout's own margins with
 * these in their place.
 *
 * @throws CommandError `usage` for a metric or a margin that cannot be asked about, and one that no configuration takes.
 */
export function readMargins(text: string): (own: Margins) => Margins {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map(readEntry);
  const asked = new Map(entries);
  if (asked.size < entries.length)
    throw usage('expected each metric once, found one of them twice');
  try {
    checked(rolloutKeys.margins.unwrap(), Object.fromEntries(asked), '--margins');
  } catch (error) {
    throw usage(messageOf(error), error);
  }
  return (own) => {
    const margins = Object.entries(own).map(([name, margin]) => {
      const other = asked.get(name as Askable);
      if (name === 'pairedErrors' && typeof margin === 'number' && typeof other === 'object')
        throw usage(`${name}: expected a rate, as the rollout has it, found ${marginText(other)}`);
      const isClaim = typeof margin === 'object' && typeof other === 'object';
      return [name, isClaim ? { ...margin, ...other } : (other ?? margin)];
    });
    return Object.fromEntries(margins) as Margins;
  };
}

/** A margin as `readMargins` takes it: `1%`, `2x+0.2%`. */
export function marginText(
  margin: number | { readonly ratio: number; readonly absolute: number },
): string {
  if (typeof margin === 'number') return percentOf(margin);
  return `${chosenText(short(margin.ratio))}x+${percentOf(margin.absolute)}`;
}

function percentOf(rate: number): string {
  return `${chosenText(short(100 * rate))}%`;
}

function short(value: number): number {
  return Number(value.toPrecision(3));
}

type Claim = { readonly ratio: number; readonly absolute: number };

function readEntry(entry: string): readonly [Askable, number | Claim] {
  const [name = '', margin = ''] = entry.split('=').map((part) => part.trim());
  if (!isAskable(name)) {
    throw usage(`expected one of ${Object.keys(FORMS).join(', ')}, found "${name}"${whyNot(name)}`);
  }
  if (FORMS[name] === 'rate' || (FORMS[name] === 'either' && RATE.test(margin))) {
    const [, rate, unit] = RATE.exec(margin) ?? [];
    if (rate === undefined) throw usage(`${name}: expected a rate such as 1%, found "${margin}"`);
    return [name, readRate(rate, unit)];
  }
  const [, ratio, absolute, unit] = CLAIM.exec(margin.replaceAll(' ', '')) ?? [];
  if (ratio === undefined || absolute === undefined) {
    throw usage(`${name}: expected a ratio plus a rate, such as 2x+0.2%, found "${margin}"`);
  }
  return [name, { ratio: Number(ratio), absolute: readRate(absolute, unit) }];
}

function readRate(number: string, unit: string | undefined): number {
  // By way of text, so that 0.1% is 0.001 and not the nearest product.
  return unit === '%' ? Number(`${number}e-2`) : Number(number);
}

function isAskable(name: string): name is Askable {
  return Object.hasOwn(FORMS, name);
}

function whyNot(name: string): string {
  if (name === 'pairedLatency')
    return ': its margin says which runs are counted as slower, and the record has the counts';
  return name === 'liveLoss' || name === 'anchorLoss' ? ': its margin is that of labelledLoss' : '';
}

function usage(message: string, cause?: unknown): CommandError {
  return new CommandError(EXIT.usage, `--margins: ${message}`, { cause });
}
