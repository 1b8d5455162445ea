import t from 'tap';

import { type Finding, FloodExam } from './exam.ts';
import { excesses, memoryBoundMib } from './limits.ts';
import { SHORT } from './list.ts';

/** What is asked is whether live requests are answered and memory is bounded, not how fast: machines of tests are busy. */
const OPTIONS = { perSecond: 30, floodMs: 1_200, connectionsMax: 1_000, afterMs: 0 };

t.setTimeout(120_000);

t.test(
  'under any flood live requests are answered and the memory of the gateway is bounded',
  { timeout: 120_000, skip: process.platform === 'linux' ? false : 'Linux only' },
  async (t) => {
    const exam = await FloodExam.start(t, OPTIONS);
    for (const flood of SHORT) {
      const { tested, control, memory } = await exam.run(flood);
      const failed = `${tested.failed} of ${tested.sent} failed, ${control.failed} of the control's`;
      t.ok(
        tested.failed <= control.failed,
        `${flood.name}: ${failed}: ${JSON.stringify(tested.faults)}`,
      );
      t.ok(tested.sent > 10 && control.sent > 10, 'both were under load');
      t.ok(
        memory.most <= memoryBoundMib(memory.before),
        `${flood.name}: ${Math.round(memory.before)} MiB before, ${Math.round(memory.most)} at most`,
      );
    }
  },
);

t.test('a flood that costs more than it may is found out', async (t) => {
  const [flood] = SHORT;
  const tally = { sent: 100, failed: 0, faults: {}, p50Ms: 5, p99Ms: 40 };
  const memory = { before: 200, most: 300, after: 220 };
  const good = {
    flood: { ...flood, ratioMax: 10 },
    tested: tally,
    control: tally,
    memory,
  } as Finding;
  t.same(excesses(good, 100), []);
  t.same(excesses({ ...good, tested: { ...tally, p99Ms: 400 } }, 100), []);
  t.same(excesses({ ...good, tested: { ...tally, p99Ms: 401, failed: 1 } }, 100), [
    'expected at most 0 failed live requests, found 1',
    'expected at most 400 ms at p99, found 401',
  ]);
  t.same(excesses({ ...good, memory: { before: 200, most: 713, after: 485 } }, 100), [
    'expected at most 712 MiB meanwhile, found 713',
    'expected at most 484 MiB afterwards, found 485',
  ]);
  const quick = { ...tally, p99Ms: 5 };
  t.same(excesses({ ...good, control: quick, tested: { ...tally, p99Ms: 250 } }, 100), []);
});
