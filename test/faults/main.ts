/**
 * What goes wrong with a version on trial, one after another, on real processes under load, beside a gateway that nothing is done
 * to: `npm run exam:faults`; then floods of what no client sends. Prints what each cost. Fails where the first gateway fails more live requests than the second.
 */
import { GRPC_FLOODS, HTTP_FLOODS } from '../support/floods.ts';
import { FaultExam, type Finding } from './exam.ts';
import { BESIDE, cellsBeside, tablePrinter } from './exam-table.ts';
import { FAULTS } from './faults.ts';

const OPTIONS = { perSecond: 100, deadlineMs: 1_000, faultMs: 8_000 };

const print = tablePrinter([38, 6, 7, 15, 11, 12, 7, 48]);

const works: (() => unknown)[] = [];
try {
  process.exitCode = await examine();
} finally {
  for (const work of works.reverse()) await work();
}

/** Returns the exit code. */
async function examine(): Promise<number> {
  const exam = await FaultExam.start({ teardown: (work) => works.push(work) }, OPTIONS);
  print(['fault', ...BESIDE, 'fell back', 'trial']);
  let isGood = true;
  for (const fault of FAULTS) {
    const finding = await exam.run(fault);
    print(cellsOf(finding));
    for (const [what, count] of Object.entries(finding.tested.faults))
      print([`  ${count} x ${what}`]);
    isGood &&= finding.tested.failed <= finding.control.failed;
  }
  print([]);
  print(['flood', ...BESIDE, 'grown by']);
  for (const name of [...Object.keys(HTTP_FLOODS), ...Object.keys(GRPC_FLOODS)]) {
    const flooded = await exam.flood(name);
    const cells = cellsBeside(flooded.tested, flooded.control);
    print([name, ...cells, `${flooded.grownMiB.toFixed(0)} MiB`]);
    isGood &&= flooded.tested.failed <= flooded.control.failed;
  }
  return isGood ? 0 : 1;
}

function cellsOf({ fault, fallbacks, end, tested, control }: Finding): readonly string[] {
  const codes = Object.entries(fallbacks).map(([code, count]) => `${count} ${code}`);
  return [fault.name, ...cellsBeside(tested, control), codes.join(', ') || 'none', end];
}
