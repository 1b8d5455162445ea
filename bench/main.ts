/**
 * `npm run bench -- [suite ...] [--quick] [--rounds N] [--out FOLDER] [--report [--into PAGE]] [--gate]`: measures the suites
 * (all where none is named), prints a table for each and keeps them as JSON. `--quick` shows in seconds that a suite works; its
 * figures mean nothing. `--report` measures nothing and prints what was kept as Markdown, or puts it into a page. `--gate` takes
 * a minute or two: it fails (exit 1) where a ratio has fallen below its floor, and says so (exit 3) where it is inconclusive. Words with
 * it choose the checks whose names have one of them.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../src/cli/table.ts';
import { programFolder } from '../src/config/program.ts';
import { systemClock } from '../src/core/clock.ts';
import type { Effort } from './effort.ts';
import type { Suite } from './figure.ts';
import { CHECKS, EXIT_CODES, runGate } from './gate.ts';
import { thisMachine } from './machine.ts';
import { publish } from './page.ts';
import { conditionsOf, loadsOf, reportOf, rowsOf } from './report.ts';
import { keepResult, readResults } from './results.ts';
import { SUITES } from './suites.ts';
import { Workplace } from './workplace.ts';

const QUICK: Effort = { rounds: 2, blockMs: 300, warmupMs: 100 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    gate: { type: 'boolean', default: false },
    into: { type: 'string' },
    rounds: { type: 'string' },
    out: { type: 'string' },
  },
});

/** A quick run's figures mean nothing, so they never take the place of real ones. */
const out = values.out ?? join(programFolder, 'var', values.quick ? 'bench-quick' : 'bench');

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

if (values.report) await report();
else if (values.gate) await gate(positionals);
else for (const suite of chosen(positionals)) await measure(suite);

async function report(): Promise<void> {
  const results = await readResults(out);
  if (values.into === undefined) console.log(reportOf(results));
  else await publish(values.into, results);
}

async function gate(words: readonly string[]): Promise<void> {
  const checks = CHECKS.filter(
    ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
  );
  if (checks.length === 0) {
    const known = CHECKS.map(({ name }) => name).join(', ');
    throw new Error(`--gate: expected words of ${known}, found ${words.join(' ')}`);
  }
  const verdict = await runGate(checks, (line) => console.log(line));
  process.exitCode = EXIT_CODES[verdict];
}

async function measure(suite: Suite): Promise<void> {
  const { name, title } = suite;
  const planned = values.quick ? QUICK : suite.effort;
  const effort = { ...planned, rounds: roundsOf(planned.rounds) };
  console.error(`${name}: ${title}`);
  const print = (line: string): void => console.error(`  ${line}`);
  const result = await Workplace.during(print, async (workplace) => {
    const measurement = await suite.run(workplace, effort);
    return { suite: name, title, effort, ...measurement, loads: workplace.loads };
  });
  const takenAt = new Date(systemClock.wallMs()).toISOString();
  const file = await keepResult(out, { ...result, takenAt, machine: thisMachine() });
  const told = `${conditionsOf(result)}.${loadsOf(result)}`;
  console.log(`\n${formatTable(rowsOf(result))}\n\n${told}\nkept as ${file}\n`);
}

function roundsOf(planned: number): number {
  if (values.rounds === undefined) return planned;
  const rounds = Number(values.rounds);
  if (Number.isInteger(rounds) && rounds > 0) return rounds;
  throw new Error(`--rounds: expected a whole number above 0, found ${values.rounds}`);
}

function chosen(names: readonly string[]): readonly Suite[] {
  if (names.length === 0) return SUITES;
  return names.map((name) => {
    const suite = SUITES.find((each) => each.name === name);
    if (suite !== undefined) return suite;
    const known = SUITES.map((each) => each.name).join(', ');
    throw new Error(`expected a suite (${known}), found '${name}'`);
  });
}
