import t from 'tap';
import { printSteps } from '../../src/cli/demo-steps.ts';
import { HandClock } from '../../src/core/clock.ts';
import { TRIALS, type Trial } from '../../src/demo/trials.ts';

const [FIRST, SECOND] = TRIALS as readonly [Trial, Trial];

t.test(
  'each step is a line, and one that takes long says now and then what it waits for',
  async (t) => {
    const clock = new HandClock();
    const lines: string[] = [];
    const print = printSteps({ say: (line) => void lines.push(line), clock });
    const step = { number: 2, of: 6, task: 'prove errors' };
    print(FIRST, { step: undefined, phase: 'loading', why: 'loading version 2' });
    for (let second = 0; second < 25; second += 1) {
      print(FIRST, { step, phase: 'progressing', why: `waits for ${second}` });
      clock.advance(1_000);
    }
    print(SECOND, { step, phase: 'progressing', why: 'begins' });
    t.same(lines, [
      '  loading: loading version 2',
      '  step 2/6 prove errors',
      '    still at it: waits for 10',
      '    still at it: waits for 20',
      '  step 2/6 prove errors',
    ]);
  },
);
