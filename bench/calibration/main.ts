/**
 * `npm run calibration -- [words] [--quick] [--runs N] [--shard K/N] [--out FOLDER] [--report [--into PAGE]]`: how often a verdict is
 * wrong, in simulated worlds whose truth is known, through the code that decides. Words choose the worlds whose names have one
 * of them. `--quick` takes a minute. A run that was stopped goes on where it was; `--shard 1/2` and `--shard 2/2` in two
 * processes share the worlds. `--report` runs nothing: it prints what was kept, or puts it into the page. Ends with exit code 1
 * where a wrong decision is more frequent than the budget and chance allow.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../../src/cli/table.ts';
import { programFolder } from '../../src/config/program.ts';
import { calibrate } from './calibrate.ts';
import { codeDigest } from './code-digest.ts';
import { type KeptWorld, readKept } from './kept-worlds.ts';
import { publish } from './page.ts';
import { readWorlds } from './read-worlds.ts';
import { countText, HEADING, reportOf, rowOf, standingOf } from './table.ts';
import { understudy } from './understudy.ts';
import type { World } from './world.ts';

const RUNS = 1_000;

/** Requests of all runs of one world in the quick form: about a second. */
const QUICK_REQUESTS = 150_000;
const QUICK_RUNS = { least: 5, most: 40 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    runs: { type: 'string' },
    shard: { type: 'string', default: '1/1' },
    out: { type: 'string' },
    into: { type: 'string' },
  },
});

const out = values.out ?? path.join(programFolder, 'var', 'calibration');

if (values.report) await report();
else await run(chosen(await readWorlds(), positionals));

async function run(worlds: readonly World[]): Promise<void> {
  const progress = values.quick ? undefined : { folder: out, code: await codeDigest() };
  const options = { contender: understudy(), runsOf, progress };
  const kept: KeptWorld[] = [];
  for (const world of worlds) {
    const result = await calibrate(world, options);
    kept.push(result);
    console.error(`${world.name}: ${standingOf(result)} after ${result.tally.runs} runs`);
  }
  console.log(`${formatTable([HEADING, ...kept.map(rowOf)])}\n\n${countText(kept)}`);
  process.exitCode = kept.some((world) => standingOf(world) === 'beyond') ? 1 : 0;
}

async function report(): Promise<void> {
  const kept = await readKept(out);
  if (values.into === undefined) console.log(reportOf(kept));
  else await publish(values.into, kept);
}

function runsOf({ requestsMax }: World): number {
  if (values.runs !== undefined) return wholeNumber('--runs', values.runs);
  if (!values.quick) return RUNS;
  const { least, most } = QUICK_RUNS;
  return Math.min(most, Math.max(least, Math.round(QUICK_REQUESTS / requestsMax)));
}

function chosen(worlds: readonly World[], words: readonly string[]): readonly World[] {
  const named = worlds.filter(
    ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
  );
  if (named.length === 0) {
    const known = worlds.map(({ name }) => name).join(', ');
    throw new Error(`expected words of the worlds' names (${known}), found ${words.join(' ')}`);
  }
  const [place = '', shards = ''] = values.shard.split('/');
  const [at, all] = [wholeNumber('--shard', place), wholeNumber('--shard', shards)];
  return named.filter((_, index) => index % all === at - 1);
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`${option}: expected a whole number above 0, found ${text}`);
}
