import fc from 'fast-check';
import t from 'tap';
import { BACKLOG_MAX, Backlog } from '../../../src/load/engine/backlog.ts';
import type { Flight } from '../../../src/load/engine/observer.ts';

function aFlight(place: number): Flight {
  return {
    place,
    bytes: new Uint8Array(),
    intendedMs: place,
    sentMs: place,
    answer: undefined,
  };
}

t.test('the longest wait is first, however many others arrive and end', async () => {
  const steps = fc.array(fc.integer({ min: -3_000, max: 3_000 }), { maxLength: 20 });
  fc.assert(
    fc.property(steps, (counts) => {
      const backlog = new Backlog();
      const model: number[] = [];
      let place = 0;
      const step = (comes: boolean): boolean => {
        if (!comes) return backlog.shift()?.place === model.shift();
        place += 1;
        model.push(place);
        return backlog.push(aFlight(place));
      };
      return counts.every((count) =>
        Array.from({ length: Math.abs(count) }, () => step(count > 0)).every(
          (isRight) => isRight && backlog.length === model.length,
        ),
      );
    }),
    { numRuns: 30 },
  );
});

t.test('no more wait than may', async (t) => {
  const backlog = new Backlog();
  const flight = aFlight(1);
  for (let place = 0; place < BACKLOG_MAX; place += 1) backlog.push(flight);
  t.notOk(backlog.push(flight));
  backlog.shift();
  t.ok(backlog.push(flight), 'there is room again');
  t.equal(backlog.length, BACKLOG_MAX);
});
