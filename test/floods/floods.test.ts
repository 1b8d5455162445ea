import t from 'tap';

import { FloodExam } from './exam.ts';
import { memoryBoundMib, SHORT } from './list.ts';

/** What is asked is whether live requests are answered and memory is bounded, not how fast: machines of tests are busy. */
const OPTIONS = { perSecond: 30, floodMs: 1_200, connectionsMax: 1_000, afterMs: 0 };

t.setTimeout(120_000);

t.test(
  'whatever callers flood a gateway with, live requests are answered and its memory is bounded',
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
