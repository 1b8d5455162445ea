import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import type { Arrivals, Rate, Spacing } from '../../load/nouns/arrivals.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import type { ArrivalOptions } from './load-options.ts';
import { readNumber, readRate, readTime, readWhole, wrongOption } from './values.ts';

const KINDS = 'poisson, constant, bursty, bursty:<shape> or recorded:<file>';
const RECORDED = 'recorded:';
/** Clumps that come about four times as large as chance makes them. */
const BURSTY_SHAPE = 0.25;
const RECORDED_MAX = 10_000_000;

/** When requests start, as `--rate`, `--arrivals` and `--concurrency` say together. */
export async function readArrivals(options: ArrivalOptions): Promise<Arrivals> {
  const { rate, arrivals, concurrency } = options;
  if (concurrency !== undefined) {
    if (rate !== undefined)
      throw usage(
        'expected --rate or --concurrency, found both: a load either keeps to a rate or waits for answers',
      );
    return { kind: 'closed', concurrency: readWhole('concurrency', concurrency, IN_FLIGHT) };
  }
  if (arrivals.startsWith(RECORDED)) {
    if (rate !== undefined) throw usage('expected no --rate with recorded arrivals');
    const file = arrivals.slice(RECORDED.length);
    return { kind: 'recorded', atMs: await readRecorded(file), file: basename(file) };
  }
  if (rate === undefined)
    throw usage(
      'expected --rate (requests a second) or --arrivals recorded:<file>; run and compare also take --concurrency',
    );
  return { kind: 'open', rate: readPace(rate), spacing: readSpacing(arrivals) };
}

const IN_FLIGHT = { min: 1, max: 100_000 };

function readPace(text: string): Rate {
  if (text.includes('..')) {
    const [from = '', to = '', ...more] = text.split('..');
    if (more.length > 0) throw wrongOption('rate', 'two rates, as in 100..1000', text);
    return {
      kind: 'ramp',
      fromPerSecond: readRate('rate', from),
      toPerSecond: readRate('rate', to),
    };
  }
  if (!text.includes('@')) return { kind: 'steady', perSecond: readRate('rate', text) };
  const steps = text.split(',').map((step) => {
    const [perSecond = '', forTime = ''] = step.split('@');
    return { perSecond: readRate('rate', perSecond), forMs: readTime('rate', forTime) };
  });
  return { kind: 'steps', steps };
}

function readSpacing(text: string): Spacing {
  if (text === 'poisson' || text === 'constant') return { kind: text };
  const [kind, shape = String(BURSTY_SHAPE), ...more] = text.split(':');
  if (kind !== 'bursty' || more.length > 0) throw wrongOption('arrivals', KINDS, text);
  return { kind, shape: readNumber('arrivals bursty', shape, { min: 0.01, max: 100 }) };
}

/** One arrival a line, in milliseconds from the first column of what may be a CSV file; `#` begins a comment. */
async function readRecorded(file: string): Promise<readonly number[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw usage(`--arrivals: ${file} cannot be read: ${messageOf(error)}`);
  });
  const atMs: number[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const cell = line.replace(/#.*/, '').split(',')[0]?.trim() ?? '';
    if (cell === '') continue;
    const at = Number(cell);
    const before = atMs.at(-1) ?? 0;
    if (!(at >= before && Number.isFinite(at)))
      throw usage(
        `${file}:${index + 1}: expected milliseconds from the start, not less than ${before}, found "${cell}"`,
      );
    atMs.push(at);
    if (atMs.length > RECORDED_MAX)
      throw usage(`${file}: expected at most ${RECORDED_MAX} arrivals`);
  }
  if (atMs.length === 0) throw usage(`${file}: expected one arrival a line, found none`);
  return atMs;
}

function usage(message: string): CommandError {
  return new CommandError(EXIT.usage, message);
}
