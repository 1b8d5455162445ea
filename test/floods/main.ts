/**
 * A gateway that is flooded in one way after another, next to a gateway that is not flooded: `npm run exam:floods`; `-- --only gRPC`
 * runs those of that name. Prints what each flood cost live requests, and the memory of the gateway. Fails where the flooded one
 * fails more live requests than the other, takes many times as long for them, or takes or keeps more memory than it should. What is
 * beyond its limit is tried again: others on the machine only ever add to it, and a fault comes back.
 */
import { parseArgs } from 'node:util';
import { BESIDE, cellsBeside, tablePrinter } from '../faults/exam-table.ts';
import { type Finding, type Flood, FloodExam, MEMORY_MAX_MIB } from './exam.ts';
import { excesses } from './limits.ts';
import { LONG } from './list.ts';

const OPTIONS = { perSecond: 100, floodMs: 10_000, connectionsMax: 1_000, afterMs: 10_000 };

const ATTEMPTS_MAX = 3;

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });

const print = tablePrinter([40, 7, 8, 16, 11, 13, 8, 12, 12, 12]);

const works: (() => unknown)[] = [];
try {
  process.exitCode = await examine();
} finally {
  for (const work of works.reverse()) await work();
}

/** Returns the exit code. */
async function examine(): Promise<number> {
  const exam = await FloodExam.start({ teardown: (work) => works.push(work) }, OPTIONS);
  process.stdout.write(`limits.memoryMax ${MEMORY_MAX_MIB} MiB\n`);
  print(['flood', ...BESIDE, 'RSS before', 'RSS most', 'RSS after']);
  let isGood = true;
  const firstMib = exam.residentMib();
  for (const flood of LONG.filter(({ name }) => name.includes(values.only))) {
    isGood = (await isWithin(exam, flood, firstMib)) && isGood;
  }
  return isGood ? 0 : 1;
}

/** False where a flood costs too much each time. */
async function isWithin(exam: FloodExam, flood: Flood, firstMib: number): Promise<boolean> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const finding = await exam.run(flood);
    print(cellsOf(finding));
    for (const [what, count] of Object.entries(finding.tested.faults))
      print([`  ${count} x ${what}`]);
    const found = excesses(finding, firstMib);
    for (const each of found) print([`  ${each}`]);
    if (found.length === 0) return true;
  }
  return false;
}

function cellsOf({ flood, tested, control, memory }: Finding): readonly string[] {
  const mib = (value: number): string => `${Math.round(value)} MiB`;
  return [
    `${flood.name} (${flood.connections})`,
    ...cellsBeside(tested, control),
    mib(memory.before),
    mib(memory.most),
    mib(memory.after),
  ];
}
