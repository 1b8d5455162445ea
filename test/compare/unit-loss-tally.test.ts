import t from 'tap';
import { type MaturePair, UnitLossTally } from '../../src/compare/unit-loss-tally.ts';

function after(...units: (readonly MaturePair[])[]) {
  const none = { down: {}, up: {} };
  const tally = new UnitLossTally({ labelledLoss: none, labelledLossBySlice: {}, coverage: {} });
  for (const unit of units) tally.add(unit);
  return tally.snapshot();
}

function aPair(of: Partial<MaturePair>): MaturePair {
  return { slices: [], apart: 1, byControl: false, losses: undefined, ...of };
}

const WON = { stable: 1, candidate: 0 };
const LOST = { stable: 0, candidate: 1 };

t.test(
  'contradicting labels count against a promotion and against a rollback, whatever they said',
  async (t) => {
    for (const losses of [WON, LOST, undefined]) {
      const { labelledLoss } = after([aPair({ losses, isConflicting: true })]);
      t.same(labelledLoss, { down: { [-1000]: 1 }, up: { 1000: 1 } });
    }
  },
);

t.test('answers that are the same have the same loss under contradicting labels', async (t) => {
  const { labelledLoss } = after([aPair({ apart: 0, isConflicting: true })]);
  t.same(labelledLoss, { down: { 0: 1 }, up: { 0: 1 } });
});

t.test('in a unit the contradicted request counts with the others', async (t) => {
  const unit = [aPair({ losses: LOST }), aPair({ losses: LOST, isConflicting: true })];
  const { labelledLoss, coverage } = after(unit, [aPair({})]);
  t.same(labelledLoss, { down: { 0: 1 }, up: { 1000: 1 } });
  t.match(coverage[''], { differing: { units: 2, labelled: 1 } });
});
