/**
 * `npm run calibration -- [power | gates] [words] [--quick] [--runs N] [--shard K/N] [--out FOLDER] [--report [--into PAGE]]`: how often
 * a verdict is wrong, in simulated worlds whose truth is known, through the code that decides. `power`: how many samples the
 * findings take against the least that any test needs. `gates`: the rules of other tools on the same worlds. Words choose the
 * worlds (metrics) whose names have one of them. `--quick` takes a minute. Runs are kept in `--out` and add up over sittings, for
 * as long as the code that they depend on is the same; `--shard 1/2` and `--shard 2/2` in two processes share the worlds.
 * `--report` runs nothing: it prints what was kept, or puts it into the page. Ends with exit code 1 where a wrong decision is more
 * frequent than the budget and chance allow, or where a finding takes more samples than its goal.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../../src/cli/table.ts';
import { programFolder } from '../../src/config/program.ts';
import { calibrate } from './calibrate.ts';
import { CodeDigests } from './code-digest.ts';
import { compareGates } from './head-to-head.ts';
import { GATES_HEADING, gatesRowOf } from './head-to-head-table.ts';
import { type KeptWorld, type Progress, readKept } from './kept-worlds.ts';
import { publish, readResults, withResults } from './page.ts';
import { measurePower, missedGoals } from './power.ts';
import { POWER_HEADING, powerCountText, powerRowOf } from './power-table.ts';
import { type FiledWorld, readFiledWorlds } from './read-worlds.ts';
import { countText, HEADING, rowOf, standingOf } from './table.ts';
import { understudy } from './understudy.ts';
import type { World } from './world.ts';

const RUNS = { worlds: 1_000, power: 150, gates: 200 } as const;
const QUICK_RUNS = { power: 5, gates: 2 } as const;

/** Runs of each world before any has more, so that a calibration that is stopped has some of all. */
const ROUND = 100;

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
else await run(chosen(await readFiledWorlds(), positionals));

async function run(worlds: readonly FiledWorld[]): Promise<void> {
  const most = Math.max(...worlds.map(({ world }) => runsOf(world)));
  for (let upTo = ROUND; upTo < most && !values.quick; upTo += ROUND) {
    await runUpTo(worlds, upTo);
    tell(`all worlds have had ${upTo} runs`);
  }
  const kept = await runUpTo(worlds, most);
  console.log(`${formatTable([HEADING, ...kept.map(rowOf)])}\n\n${countText(kept)}`);
  process.exitCode = kept.some((world) => standingOf(world) === 'beyond') ? 1 : 0;
}

async function runUpTo(worlds: readonly FiledWorld[], upTo: number): Promise<readonly KeptWorld[]> {
  const digests = new CodeDigests();
  const kept: KeptWorld[] = [];
  for (const { world, file } of worlds) {
    const progress = values.quick
      ? undefined
      : { folder: path.join(out, 'worlds'), code: await digests.of(file) };
    const runs = Math.min(upTo, runsOf(world));
    const result = await calibrate(world, { contender: understudy(), runs, progress });
    kept.push(result);
    tell(`${world.name}: ${standingOf(result)} after ${result.tally.runs} runs`);
  }
  return kept;
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
  const progress = await readKept(path.join(out, 'worlds'));
  await tellOther(progress);
  const worlds = progress.map(({ code: _, ...kept }) => kept);
  if (values.into !== undefined) await publish(values.into, { worlds, power, gates });
  else console.log(withResults(ALL_MARKS, { worlds, power, gates }, 'calibration'));
}

/** Runs of other code are reported too: of a calibration that was begun before an edit. */
async function tellOther(progress: readonly Progress[]): Promise<void> {
  const digests = new CodeDigests();
  const codes = await Promise.all(
    (await readFiledWorlds()).map(
      async ({ world, file }) => [world.name, await digests.of(file)] as const,
    ),
  );
  const present = new Map(codes);
  const others = progress.filter(({ name, code }) => present.get(name) !== code);
  if (others.length === 0) return;
  tell(`runs of other code than the present: ${others.map(({ name }) => name).join(', ')}`);
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

function chosen(worlds: readonly FiledWorld[], words: readonly string[]): readonly FiledWorld[] {
  const named = worlds.filter(
    ({ world }) => words.length === 0 || words.some((word) => world.name.includes(word)),
  );
  if (named.length === 0) {
    const known = worlds.map(({ world }) => world.name).join(', ');
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
