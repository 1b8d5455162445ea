/**
 * `npm run bench -- [suite ...] [--quick] [--rounds N] [--out FOLDER] [--report [--into PAGE]]`: measures the suites (all where none is
 * named), prints a table for each and keeps them as JSON. `--quick` shows in seconds that a suite works; its figures mean
 * nothing. `--report` measures nothing and prints what was kept as Markdown, or puts it into a page.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../src/cli/table.ts';
import { programFolder } from '../src/config/program.ts';
import { systemClock } from '../src/core/clock.ts';
import { decisionCost } from './decision-cost.ts';
import type { Effort, Suite } from './figure.ts';
import { jsonFloats } from './json-floats.ts';
import { thisMachine } from './machine.ts';
import { mirrorHarm } from './mirror-harm.ts';
import { overhead } from './overhead.ts';
import { protocols } from './protocols.ts';
import { realModel } from './real-model.ts';
import { conditionsOf, reportOf, rowsOf, withReport } from './report.ts';
import { keepResult, readResults } from './results.ts';

const SUITES: readonly Suite[] = [
  overhead,
  protocols,
  jsonFloats,
  realModel,
  mirrorHarm,
  decisionCost,
];
const QUICK: Effort = { rounds: 2, blockMs: 300, warmupMs: 100 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    into: { type: 'string' },
    rounds: { type: 'string' },
    out: { type: 'string', default: join(programFolder, 'var', 'bench') },
  },
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

if (values.report) await report();
else for (const suite of chosen(positionals)) await measure(suite);

async function report(): Promise<void> {
  const text = reportOf(await readResults(values.out));
  if (values.into === undefined) console.log(text);
  else await writeFile(values.into, withReport(await readFile(values.into, 'utf8'), text));
}

async function measure(suite: Suite): Promise<void> {
  const { rounds, ...effort } = values.quick ? QUICK : suite.effort;
  console.error(`${suite.name}: ${suite.title}`);
  const result = await suite.run({ ...effort, rounds: roundsOf(rounds) }, (line) =>
    console.error(`  ${line}`),
  );
  const takenAt = new Date(systemClock.wallMs()).toISOString();
  const file = await keepResult(values.out, { ...result, takenAt, machine: thisMachine() });
  console.log(`\n${formatTable(rowsOf(result))}\n\n${conditionsOf(result)}\nkept as ${file}\n`);
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
