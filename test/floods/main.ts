/**
 * A gateway that is flooded in one way after another, beside a gateway that nobody floods: `npm run exam:floods`. Prints what each
 * flood cost live requests, and the memory of the gateway. Fails where the flooded one fails more live requests than the other,
 * or takes more memory than it should.
 */
import { BESIDE, cellsBeside, tablePrinter } from '../faults/exam-table.ts';
import { type Finding, FloodExam, MEMORY_MAX_MIB } from './exam.ts';
import { LONG, memoryBoundMib } from './list.ts';

const OPTIONS = { perSecond: 100, floodMs: 10_000, connectionsMax: 1_000, afterMs: 10_000 };

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
  for (const flood of LONG) {
    const finding = await exam.run(flood);
    print(cellsOf(finding));
    for (const [what, count] of Object.entries(finding.tested.faults))
      print([`  ${count} x ${what}`]);
    const { tested, control, memory } = finding;
    isGood &&= tested.failed <= control.failed && memory.most <= memoryBoundMib(memory.before);
  }
  return isGood ? 0 : 1;
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
