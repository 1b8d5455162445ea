import fc from 'fast-check';
import t from 'tap';
import { scoreDistance } from '../../src/compare/distance.ts';

const isClose = (found: number, expected: number) => Math.abs(found - expected) < 1e-12;
const row = (...scores: readonly number[]) => ({ scores, start: 0, classes: scores.length });

t.test('probabilities are as far apart as their total variation', async (t) => {
  t.ok(isClose(scoreDistance(row(0.2, 0.5, 0.3), row(0.333, 0.334, 0.333)), 0.166));
  t.ok(isClose(scoreDistance(row(1, 0), row(0, 1)), 1));
  // Half precision: a sum of 1 within a hundredth.
  t.ok(isClose(scoreDistance(row(0.8, 0.195), row(0.7, 0.295)), 0.1));
});

t.test('scores of independent classes are as far apart as the class that moved most', async (t) => {
  t.ok(isClose(scoreDistance(row(0.9, 0.8, 0.1), row(0.9, 0.5, 0.2)), 0.3));
});

t.test('logits are compared as the probabilities that they stand for', async (t) => {
  const logits = row(2, 0, -1);
  t.ok(isClose(scoreDistance(logits, row(1002, 1000, 999)), 0));
  // softmax(ln 9, 0) = (0.9, 0.1)
  t.ok(isClose(scoreDistance(row(Math.log(9), 0), row(Math.log(3), 0)), 0.15));
});

t.test('a candidate is read as callers read stable', async (t) => {
  // Probabilities in place of logits have another meaning, though their softmax may be near.
  t.ok(scoreDistance(row(0.6, 0.4), row(3, 2)) > 0.5);
});

t.test(
  'a masked class has no probability, and scores without a softmax have no distance',
  async (t) => {
    t.ok(isClose(scoreDistance(row(3, -Infinity, 1), row(3, -Infinity, 1)), 0));
    t.ok(Number.isNaN(scoreDistance(row(Infinity, 1), row(Infinity, 1))));
    t.ok(Number.isNaN(scoreDistance(row(0.5, 0.5), row(Number.NaN, 0.5))));
  },
);

t.test('a distance is in [0, 1], 0 to itself, and blind to where the row lies', async (t) => {
  const scores = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), {
    minLength: 4,
    maxLength: 4,
  });
  fc.assert(
    fc.property(scores, scores, (a, b) => {
      const distance = scoreDistance(row(...a), row(...b));
      const inside = scoreDistance(
        { scores: [9, ...a, 9], start: 1, classes: 4 },
        { scores: [...b, 9], start: 0, classes: 4 },
      );
      return (
        distance >= 0 &&
        distance <= 1 + 1e-12 &&
        distance === inside &&
        scoreDistance(row(...a), row(...a)) === 0
      );
    }),
  );
  t.pass();
});
