import t from 'tap';
import { createTimeSlicer } from '../../src/concurrency/time-slicer.ts';
import type { Evidence } from '../../src/core/evidence.ts';
import { decide } from '../../src/decide/decide.ts';
import { type Detailed, MetricDetails } from '../../src/rollout/metric-details.ts';
import { aSpec, differences, goodEvidence } from '../decide/builders.ts';

const spec = aSpec();

function asked(rolloutId = 'fashion-2-1', evidence: Evidence = goodEvidence()): Detailed {
  return { rolloutId, spec, evidence, verdict: decide({ evidence, spec, require: [] }) };
}

/** Details whose computation is interrupted wherever it may be. */
function interruptedDetails() {
  const errors: string[] = [];
  const slicer = { ...createTimeSlicer(), isOver: () => true };
  return { details: new MetricDetails((operation) => errors.push(operation), slicer), errors };
}

t.test('details are of each metric of the verdict, in its order', async (t) => {
  const { details } = interruptedDetails();
  const one = asked();
  const found = await details.of(one);
  t.equal(found.metrics.length, one.verdict.metrics.length);
  const loss = one.verdict.metrics.findIndex(({ metric }) => metric === 'labelledLoss');
  t.match(found.metrics[loss], {
    limit: spec.margins.labelledLoss,
    effect: { unit: 'meanDifference' },
  });
});

t.test('other requests are served while they are computed', async (t) => {
  const { details } = interruptedDetails();
  let [turns, isDone] = [0, false];
  const beat = (): void => {
    turns += 1;
    if (!isDone) setImmediate(beat);
  };
  setImmediate(beat);
  await details.of(asked());
  isDone = true;
  t.ok(turns > 50, `the loop turned ${turns} times meanwhile`);
});

t.test(
  'one verdict of a rollout is computed at a time, and the newest known is shown',
  async (t) => {
    const { details } = interruptedDetails();
    const [first, second] = [asked(), asked()];
    const begun = details.of(first);
    t.same(details.known(second).metrics, [], 'none are there yet');
    t.equal(details.of(second), begun);
    const known = await begun;
    t.equal(details.known(second), known, 'of the verdict before, until its own are there');
    t.not(await details.of(second), known);
  },
);

t.test('another rollout of the model does not show those of the last', async (t) => {
  const { details } = interruptedDetails();
  await details.of(asked());
  t.same(details.known(asked('fashion-3-2')).metrics, []);
});

t.test('details that cannot be computed are left out and reported', async (t) => {
  const { details, errors } = interruptedDetails();
  const broken = { ...asked(), spec: { ...spec, margins: undefined as never } };
  t.same(await details.of(broken), { metrics: [], reported: [] });
  t.same(errors, ['metric details']);
});

t.test('slices that are only reported have details as well', async (t) => {
  const { details } = interruptedDetails();
  const reported = { ...spec, reportedSlices: [{ tone: 'light' }, { tone: 'none' }] };
  const labelledLossBySlice = { 'tone=light': differences([-1, 30], [0, 2_940], [1, 30]) };
  const found = await details.of({
    ...asked('fashion-2-1', goodEvidence({ labelledLossBySlice })),
    spec: reported,
  });
  t.match(found.reported, [{ effect: { estimate: 0, confidence: 0.95 } }, { effect: undefined }]);
});
