/**
 * What goes wrong with a version on trial, one after another, on real processes under load, beside a gateway that nothing is done
 * to: `npm run exam:faults`; then floods of what no client sends. Prints what each cost. Fails where the first gateway fails more live requests than the second.
 */
import { GRPC_FLOODS, HTTP_FLOODS } from '../support/floods.ts';
import { FaultExam, type Finding } from './exam.ts';
import { FAULTS } from './faults.ts';

const OPTIONS = { perSecond: 100, deadlineMs: 1_000, faultMs: 8_000 };

const WIDTHS = [38, 6, 7, 15, 11, 12, 7, 48];

const works: (() => unknown)[] = [];
try {
  process.exitCode = await examine();
} finally {
  for (const work of works.reverse()) await work();
}

/** Returns the exit code. */
async function examine(): Promise<number> {
  const exam = await FaultExam.start({ teardown: (work) => works.push(work) }, OPTIONS);
  print([
    'fault',
    'sent',
    'failed',
    'control failed',
    'p99',
    'control p99',
    'ratio',
    'fell back',
    'trial',
  ]);
  let isGood = true;
  for (const fault of FAULTS) {
    const finding = await exam.run(fault);
    print(cellsOf(finding));
    for (const [what, count] of Object.entries(finding.tested.faults))
      print([`  ${count} x ${what}`]);
    isGood &&= finding.tested.failed <= finding.control.failed;
  }
  print([]);
  print(['flood', 'sent', 'failed', 'control failed', 'p99', 'control p99', 'ratio', 'grown by']);
  for (const name of [...Object.keys(HTTP_FLOODS), ...Object.keys(GRPC_FLOODS)]) {
    const flooded = await exam.flood(name);
    print([...cellsBeside(name, flooded), `${flooded.grownMiB.toFixed(0)} MiB`]);
    isGood &&= flooded.tested.failed <= flooded.control.failed;
  }
  return isGood ? 0 : 1;
}

function cellsOf({ fault, fallbacks, end, ...tallies }: Finding): readonly string[] {
  const codes = Object.entries(fallbacks).map(([code, count]) => `${count} ${code}`);
  return [...cellsBeside(fault.name, tallies), codes.join(', ') || 'none', end];
}

type Tallies = Pick<Finding, 'tested' | 'control'>;

function cellsBeside(name: string, { tested, control }: Tallies): readonly string[] {
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  return [
    name,
    String(tested.sent),
    String(tested.failed),
    String(control.failed),
    ms(tested.p99Ms),
    ms(control.p99Ms),
    (tested.p99Ms / control.p99Ms).toFixed(2),
  ];
}

function print(cells: readonly string[]): void {
  process.stdout.write(`${cells.map((cell, at) => cell.padEnd(WIDTHS[at] ?? 0)).join('')}\n`);
}
