import fc from 'fast-check';
import t from 'tap';
import { BusyTime } from '../../src/mirror/busy-time.ts';
import { fuzzRuns } from '../support/fuzz-runs.ts';

const times = fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { maxLength: 8 });

function blameAfter(runs: readonly (readonly [number, number])[]) {
  const busy = new BusyTime();
  const since = busy.mark(0);
  for (const [at, [candidateMs, twinMs]] of runs.entries()) {
    const run = (computeMs: number) => ({ kind: 'answer', outputs: [], computeMs }) as const;
    busy.learn({ candidate: run(candidateMs), twin: run(twinMs), shadowRun: at }, 40);
  }
  return busy.blame(since, 1);
}

t.test('the two are blamed alike: swapped times swap the blame', (t) => {
  const swapped = { candidate: 'twin', twin: 'candidate' } as const;
  fc.assert(
    fc.property(times, (runs) => {
      const blame = blameAfter(runs);
      const other = blameAfter(runs.map(([candidateMs, twinMs]) => [twinMs, candidateMs]));
      return other === (blame && swapped[blame]);
    }),
    fuzzRuns(300),
  );
  t.end();
});

t.test('only one that began to wait after the last blame is blamed for again', (t) => {
  const busy = new BusyTime();
  const [first, second] = [busy.mark(0), busy.mark(4)];
  const run = (computeMs: number) => ({ kind: 'answer', outputs: [], computeMs }) as const;
  const slow = { candidate: run(9), twin: run(1) };
  busy.learn({ ...slow, shadowRun: 1 }, 40);
  t.equal(busy.blame(first, 10), 'candidate');
  t.equal(busy.blame(second, 10), undefined);
  const third = busy.mark(11);
  busy.learn({ ...slow, shadowRun: 1 }, 40);
  t.equal(busy.blame(third, 20), undefined, 'one run counts once');
  busy.learn({ ...slow, shadowRun: 2 }, 40);
  t.equal(busy.blame(third, 20), 'candidate');
  t.end();
});
