import fc from 'fast-check';
import t from 'tap';
import { drawOf, inverseOf } from '../../src/compare/draw.ts';
import { DrawnLossTally, type DrawnPair } from '../../src/compare/drawn-loss-tally.ts';
import type { KeptAnswer } from '../../src/compare/losses/loss-rule.ts';
import { classLoss } from '../../src/compare/losses/ranked-classes.ts';
import { regressionLoss } from '../../src/compare/losses/regression.ts';
import { mergeEvidence } from '../../src/compare/merge-evidence.ts';
import {
  type DrawnLossEvidence,
  drawnMost,
  levelText,
  NO_DRAWN,
  readLevel,
} from '../../src/core/drawn-loss.ts';
import { NO_EVIDENCE } from '../../src/core/evidence.ts';
import { readDrawn } from '../../src/decide/drawn-counts.ts';

const EVERY = { probability: 1, minProbability: 1 };

function aPair(changes: Partial<DrawnPair> = {}): DrawnPair {
  const draw = { inverse: 1, isWanted: true };
  const losses = { reference: 0, candidate: 1 };
  return { slices: [], most: 1, draw, losses, isConflicting: false, ...changes };
}

const SAME = aPair({ most: 0, draw: undefined, losses: undefined });

function counted(...units: readonly (readonly DrawnPair[])[]): DrawnLossEvidence {
  const tally = new DrawnLossTally(NO_DRAWN);
  for (const unit of units) tally.add(unit);
  return tally.snapshot();
}

t.test('answers that are the same count as 0 without a label, whatever label comes', async (t) => {
  const wrong = aPair({ most: 0, draw: undefined, losses: { reference: 1, candidate: 1 } });
  const { all, ...counts } = counted([SAME], [wrong]);
  t.same(all, { 1: { down: { 0: 2 }, up: { 0: 2 } } });
  t.match(counts, { differing: 0, drawn: 0, answered: 0, neither: 0 });
});

t.test('a drawn difference counts over its probability, one that was not drawn as 0', async (t) => {
  const quarter = (isWanted: boolean) => aPair({ draw: { inverse: 4, isWanted } });
  const { all, differing, drawn } = counted([quarter(true)], [quarter(false)]);
  t.same(all, {
    1: { down: { 0: 1 }, up: { 0: 1 } },
    '1/4': { down: { 1000: 1 }, up: { 1000: 1 } },
  });
  t.same([differing, drawn], [2, 1]);
  t.same(readDrawn(all, 4)?.up, [
    [0, 1],
    [4, 1],
  ]);
});

t.test(
  'without a label, or with contradicting ones, a drawn pair is the worst for either test',
  async (t) => {
    const unanswered = aPair({ losses: undefined });
    const conflicting = aPair({ isConflicting: true });
    const { all, ...counts } = counted([unanswered], [conflicting]);
    t.same(all, { 1: { down: { '-1000': 2 }, up: { 1000: 2 } } });
    t.match(counts, { drawn: 2, answered: 0, conflicting: 1 });
    const third = aPair({ most: 1 / 3, losses: undefined });
    t.same(
      counted([third]).all,
      { 1: { down: { '-334': 1 }, up: { 334: 1 } } },
      'rounded outwards',
    );
  },
);

t.test(
  'a unit is the mean over all its pairs, and counts once in each slice of theirs',
  async (t) => {
    const dark = aPair({ slices: ['tone=dark'], draw: { inverse: 2, isWanted: true } });
    const { all, bySlice } = counted([dark, SAME, SAME, SAME]);
    t.same(all, { '1/2': { down: { 250: 1 }, up: { 250: 1 } } });
    t.same(bySlice['tone=dark'], { '1/2': { down: { 1000: 1 }, up: { 1000: 1 } } });
  },
);

t.test('a difference that the answers do not allow is refused', async (t) => {
  const tally = new DrawnLossTally(NO_DRAWN);
  t.throws(() => tally.add([aPair({ most: 0.5 })]), /expected at most 0\.5 either way, found 1/);
});

t.test('what two answers allow is the share of rows that differ', async (t) => {
  const rule = classLoss({ name: 'scores', shape: [-1, 10] }, undefined);
  const most = (a: KeptAnswer, b: KeptAnswer) => rule.apart(a, b);
  t.equal(most([1, 2, 3, 4], [1, 2, 3, 5]), 0.25);
  t.equal(most([1], [1]), 0);
  t.equal(most('failed', 'unreadable'), 0, 'both are wrong for any label');
  t.equal(most('failed', [1]), 1);
  t.equal(most([1], [1, 2]), 1);
});

t.test('no label makes graded losses differ by more than the answers allow', async (t) => {
  const numbers = fc.integer({ min: -30, max: 30 }).map((tenths) => tenths / 10);
  const rows = fc.array(numbers, { minLength: 2, maxLength: 2 });
  const losses = fc.constantFrom('absolute' as const, 'squared' as const);
  fc.assert(
    fc.property(fc.tuple(rows, rows), rows, losses, ([a, b], label, loss) => {
      const rule = regressionLoss({ output: 'y', scale: 2, loss });
      const difference = Math.abs(rule.loss([a], [label]) - rule.loss([b], [label]));
      return difference <= rule.apart([a], [b]) + 1e-12;
    }),
  );
  const rule = regressionLoss({ output: 'y', scale: 2 });
  t.equal(rule.apart([[1, 1]], [[1, 2]]), 0.25);
  t.equal(rule.apart([[1]], [[4]]), 1);
});

const level = fc.integer({ min: 0, max: 10 }).map((power) => 2 ** -power);
const queues = fc
  .tuple(level, level)
  .map(([a, b]) => ({ probability: Math.max(a, b), minProbability: Math.min(a, b) }));
const mosts = fc.integer({ min: 1, max: 1_000 }).map((step) => step / 1_000);

t.test(
  'a probability is a power of two, proportional at least, and never below the least',
  async (t) => {
    fc.assert(
      fc.property(queues, mosts, (queue, most) => {
        const inverse = inverseOf(most, queue);
        return (
          readLevel(levelText(inverse)) === inverse &&
          1 / inverse >= queue.minProbability &&
          1 / inverse >= most * queue.probability &&
          most * inverse <= drawnMost(queue)
        );
      }),
    );
    t.equal(inverseOf(1, EVERY), 1);
    t.equal(inverseOf(0.001, EVERY), 1, 'by default every difference is drawn');
    t.equal(inverseOf(0.2, { probability: 1, minProbability: 1 / 64 }), 4);
  },
);

t.test(
  'the coin comes up as often as it is declared, and the same for the same request',
  async (t) => {
    const queue = { probability: 0.25, minProbability: 0.25 };
    const draw = (requestId: string, salt = 's') => drawOf(1, { queue, salt, requestId });
    const wanted = Array.from({ length: 20_000 }, (_, at) => draw(`r${at}`)).filter(
      ({ isWanted }) => isWanted,
    );
    t.ok(Math.abs(wanted.length - 5_000) < 4 * Math.sqrt(20_000 * 0.25 * 0.75));
    t.same(draw('a'), draw('a'));
    const others = Array.from({ length: 64 }, (_, at) => draw('a', `salt ${at}`).isWanted);
    t.ok(others.includes(true) && others.includes(false), 'of another rollout it is another coin');
  },
);

const pairs = fc.record({
  slices: fc.constantFrom([], ['tone=dark']),
  most: fc.constantFrom(0, 0.25, 1 / 3, 1),
  power: fc.integer({ min: 0, max: 3 }),
  isWanted: fc.boolean(),
  label: fc.constantFrom('none', 'better', 'worse', 'conflict'),
});

function madePair(made: typeof pairs extends fc.Arbitrary<infer Made> ? Made : never): DrawnPair {
  const { slices, most, power, isWanted, label } = made;
  const lost = label === 'worse' ? most : 0;
  const won = label === 'better' ? most : 0;
  return {
    slices,
    most,
    draw: most === 0 ? undefined : { inverse: 2 ** power, isWanted },
    losses: label === 'none' ? undefined : { reference: won, candidate: lost },
    isConflicting: label === 'conflict',
  };
}

const units = fc.array(fc.array(pairs.map(madePair), { minLength: 1, maxLength: 4 }), {
  maxLength: 12,
});

t.test('evidence of two halves adds up to that of the whole, in any order', async (t) => {
  const merged = (a: DrawnLossEvidence, b: DrawnLossEvidence) =>
    mergeEvidence({ ...NO_EVIDENCE, drawnLoss: a }, { ...NO_EVIDENCE, drawnLoss: b }).drawnLoss;
  fc.assert(
    fc.property(units, units, (one, other) => {
      const whole = JSON.stringify(counted(...one, ...other));
      const [a, b] = [counted(...one), counted(...other)];
      return JSON.stringify(merged(a, b)) === whole && JSON.stringify(merged(b, a)) === whole;
    }),
  );
  t.same(merged(counted([SAME]), NO_DRAWN), counted([SAME]));
  t.notOk('drawnLoss' in mergeEvidence(NO_EVIDENCE, NO_EVIDENCE));
});

t.test('the next process continues what one has counted', async (t) => {
  fc.assert(
    fc.property(units, units, (before, after) => {
      const next = new DrawnLossTally(counted(...before));
      for (const unit of after) next.add(unit);
      return JSON.stringify(next.snapshot()) === JSON.stringify(counted(...before, ...after));
    }),
  );
  t.pass();
});
