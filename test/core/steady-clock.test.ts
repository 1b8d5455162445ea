import fc from 'fast-check';
import t from 'tap';
import { type Clock, SteadyClock } from '../../src/core/clock.ts';

/** A machine whose wall clock is set at will. */
function aMachine() {
  const now = { monotonicMs: 500, wallMs: 1_000_000 };
  const clock: Clock = { monotonicMs: () => now.monotonicMs, wallMs: () => now.wallMs };
  const pass = (ms: number): void => {
    now.monotonicMs += ms;
    now.wallMs += ms;
  };
  return { now, clock, pass };
}

t.test('a wall clock that is set back or ahead moves nothing', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ stepMs: fc.integer({ min: -1e9, max: 1e9 }), passMs: fc.nat(1e6) })),
      async (events) => {
        const { now, clock, pass } = aMachine();
        const steady = new SteadyClock(clock);
        let passedMs = 0;
        for (const { stepMs, passMs } of events) {
          now.wallMs += stepMs;
          pass(passMs);
          passedMs += passMs;
          t.equal(steady.wallMs(), 1_000_000 + passedMs);
        }
      },
    ),
    { numRuns: 50 },
  );
});

t.test(
  'after a restart, time continues from the last record where the machine is behind it',
  async (t) => {
    const { clock, pass } = aMachine();
    const steady = new SteadyClock(clock);
    t.equal(steady.notBefore(900_000), 0);
    t.equal(steady.wallMs(), 1_000_000);
    t.equal(steady.notBefore(1_007_000), 7_000);
    pass(10);
    t.equal(steady.wallMs(), 1_007_010);
  },
);
