import t from 'tap';
import { LabelCallers } from '../../src/capture/label-callers.ts';
import { HandClock } from '../../src/core/clock.ts';

const LIMITS = { perSecondMax: 2, labelsMax: 5 };

function aGate() {
  const clock = new HandClock();
  const callers = new LabelCallers(clock);
  const admit = (address: string) => callers.admit(address, LIMITS);
  return { clock, callers, admit };
}

t.test('a caller may label so many a second, and others are not held up', async (t) => {
  const { clock, admit } = aGate();
  admit('a');
  admit('a');
  t.throws(() => admit('a'), {
    code: 'overloaded',
    message: /2 labels a second/,
    retryAfterMs: 500,
  });
  admit('b');
  clock.advance(500);
  admit('a');
  t.throws(() => admit('a'), { code: 'overloaded' });
});

t.test('a caller may label so many in all', async (t) => {
  const { clock, admit } = aGate();
  for (let label = 0; label < LIMITS.labelsMax; label += 1) {
    admit('a');
    clock.advance(1_000);
  }
  t.throws(() => admit('a'), { code: 'overloaded', message: /5 labels of one caller/ });
  clock.advance(3_600_000);
  t.throws(() => admit('a'), { code: 'overloaded' });
});

t.test('what was refused takes no room, and callers beyond a limit are forgotten', async (t) => {
  const { clock, callers, admit } = aGate();
  admit('a');
  admit('a');
  for (let attempt = 0; attempt < 50; attempt += 1) t.throws(() => admit('a'));
  clock.advance(1_000);
  admit('a');
  for (let caller = 0; caller < 12_000; caller += 1) admit(`c${caller}`);
  t.equal(callers.size, 10_000);
});
