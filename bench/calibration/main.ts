/**
 * `npm run calibration -- [power | gates] [words] [--quick] [--runs N] [--shard K/N] [--out FOLDER] [--report [--into PAGE]]`: how often
 * a verdict is wrong, in simulated worlds whose truth is known, through the code that decides. `power`: how many samples the
 * findings take against the least that any test needs. `gates`: the rules of other tools on the same worlds. Words choose the
 * worlds (metrics) whose names have one of them. `--quick` takes a minute. A run that was stopped goes on where it was;
 * `--shard 1/2` and `--shard 2/2` in two processes share the worlds. `--report` runs nothing: it prints what was kept, or puts
 * it into the page. Ends with exit code 1 where a wrong decision is more frequent than the budget and chance allow, or where a
 * finding takes more samples than its goal.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../../src/cli/table.ts';
import { programFolder } from '../../src/config/program.ts';
import { calibrate } from './calibrate.ts';
import { codeDigest } from './code-digest.ts';
import { compareGates } from './head-to-head.ts';
import { GATES_HEADING, gatesRowOf } from './head-to-head-table.ts';
import { type KeptWorld, readKept } from './kept-worlds.ts';
import { publish, readResults, withResults } from './page.ts';
import { measurePower, missedGoals } from './power.ts';
import { POWER_HEADING, powerCountText, powerRowOf } from './power-table.ts';
import { readWorlds } from './read-worlds.ts';
import { countText, HEADING, rowOf, standingOf } from './table.ts';
import { understudy } from './understudy.ts';
import type { World } from './world.ts';

const RUNS = { worlds: 1_000, power: 150, gates: 200 } as const;
const QUICK_RUNS = { power: 5, gates: 2 } as const;

/** Requests of all runs of one world in the quick form: about a second. */
const QUICK_REQUESTS = 150_000;
const QUICK_WORLD_RUNS = { least: 5, most: 40 };

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
const tell = (line: string): void => console.error(line);

const [kind, ...words] = positionals;
if (values.report) await report();
else if (kind === 'power') await power();
else if (kind === 'gates') await gates();
else await run(chosen(await readWorlds(), positionals));

async function run(worlds: readonly World[]): Promise<void> {
  const progress = values.quick
    ? undefined
    : { folder: path.join(out, 'worlds'), code: await codeDigest() };
  const options = { contender: understudy(), runsOf, progress };
  const kept: KeptWorld[] = [];
  for (const world of worlds) {
    const result = await calibrate(world, options);
    kept.push(result);
    tell(`${world.name}: ${standingOf(result)} after ${result.tally.runs} runs`);
  }
  console.log(`${formatTable([HEADING, ...kept.map(rowOf)])}\n\n${countText(kept)}`);
  process.exitCode = kept.some((world) => standingOf(world) === 'beyond') ? 1 : 0;
}

async function power(): Promise<void> {
  const results = measurePower(words, runsFor('power'), tell);
  await keep('power', results);
  console.log(formatTable([POWER_HEADING, ...results.map(powerRowOf)]));
  console.log(`\n${powerCountText(results)}`);
  process.exitCode = missedGoals(results).length > 0 ? 1 : 0;
}

async function gates(): Promise<void> {
  const rows = compareGates(words, runsFor('gates'), tell);
  await keep('gates', rows);
  console.log(formatTable([GATES_HEADING, ...rows.map(gatesRowOf)]));
}

/** A quick run's figures mean nothing, and some rows are not all: neither takes the place of whole results. */
async function keep(name: 'power' | 'gates', rows: readonly object[]): Promise<void> {
  if (values.quick || words.length > 0) return;
  await mkdir(out, { recursive: true });
  await writeFile(path.join(out, `${name}.json`), `${JSON.stringify(rows)}\n`);
}

async function report(): Promise<void> {
  const { power, gates } = await readResults(out);
  const worlds = await readKept(path.join(out, 'worlds'));
  if (values.into !== undefined) await publish(values.into, { worlds, power, gates });
  else console.log(withResults(ALL_MARKS, { worlds, power, gates }, 'calibration'));
}

const ALL_MARKS = ['worlds', 'power', 'gates']
  .map((name) => `<!-- ${name} -->\n<!-- /${name} -->\n`)
  .join('');

function runsFor(what: 'power' | 'gates'): number {
  if (values.runs !== undefined) return wholeNumber('--runs', values.runs);
  return values.quick ? QUICK_RUNS[what] : RUNS[what];
}

function runsOf({ requestsMax }: World): number {
  if (values.runs !== undefined) return wholeNumber('--runs', values.runs);
  if (!values.quick) return RUNS.worlds;
  const { least, most } = QUICK_WORLD_RUNS;
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
