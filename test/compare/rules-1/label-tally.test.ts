import t from 'tap';
import { LabelTally } from '../../../src/compare/rules-1/label-tally.ts';
import { NO_EVIDENCE } from '../../../src/core/evidence.ts';

t.test('labelled losses go to every declared slice that they belong to', async (t) => {
  const tally = new LabelTally(
    [{ tone: 'dark', garment: 'upper' }, { tone: 'light' }],
    NO_EVIDENCE,
  );
  const losses = { stableLoss: 0, candidateLoss: 1 };
  tally.add({ attributes: { tone: 'dark', garment: 'upper', x: 'y' }, ...losses });
  tally.add({ attributes: { tone: 'dark', garment: 'lower' }, ...losses });
  tally.addUnmatched();
  const { labelledLoss, labelledLossBySlice, labels } = tally.snapshot();
  t.same(labelledLoss.down, { 1000: 2 });
  t.same(labelledLossBySlice, {
    'garment=upper,tone=dark': { down: { 1000: 1 }, up: { 1000: 1 } },
  });
  t.same(labels, { joined: 2, unmatched: 1 });
});
