import t from 'tap';
import { callerOf } from '../../src/capture/caller-of.ts';
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
  t.throws(() => admit('a'), {
    code: 'forbidden',
    message: /5 labels of one caller/,
    retryAfterMs: undefined,
  });
  clock.advance(3_600_000);
  t.throws(() => admit('a'), { code: 'forbidden' });
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

t.test('an address that one caller may change at will is no other caller', async (t) => {
  const one: readonly (readonly [string, string])[] = [
    ['2001:db8:1:2::1', '2001:0db8:0001:0002:ffff:eeee:dddd:cccc'],
    ['2001:db8::1', '2001:db8:0:0:8000::'],
    ['fe80::1%eth0', 'fe80::2%eth1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::ffff:a00:1', '10.0.0.1'],
  ];
  for (const [a, b] of one) t.equal(callerOf(a), callerOf(b), `${a} and ${b}`);
  const others = ['2001:db8:1:2::1', '2001:db8:1:3::1', '::1', '10.0.0.1', '10.0.0.2', ''];
  t.equal(new Set(others.map(callerOf)).size, others.length);
  const { admit } = aGate();
  admit('2001:db8:1:2::1');
  admit('2001:db8:1:2::2');
  t.throws(() => admit('2001:db8:1:2::3'), { code: 'overloaded' });
});
