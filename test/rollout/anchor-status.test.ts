import t from 'tap';
import type { Anchor } from '../../src/core/anchor.ts';
import { NO_ANCHOR, NO_EVIDENCE } from '../../src/core/evidence.ts';
import type { RolloutSpec } from '../../src/core/rollout.ts';
import { anchorStatusOf } from '../../src/rollout/anchor-status.ts';
import { aRollout, aSpec } from './builders.ts';

const ANCHOR: Anchor = {
  ...{ version: '0', digest: 'd', sinceMs: 5, by: 'first', why: 'stable at the first rollout' },
  moves: [{ version: '1', atMs: 6, loss: 0.009 }],
};

function statusOf(fields: Partial<RolloutSpec>, anchor = ANCHOR) {
  const plan = { version: '0', digest: 'd', spent: { loss: 0.009, unmeasured: 0 } };
  const spec = aSpec({ anchor: plan, anchorShare: 100, ...fields });
  const grid = { 0: 3, 1000: 1 };
  const seen = { ...NO_ANCHOR, answered: 4, failed: 1, disagreement: { down: grid, up: grid } };
  const evidence = { ...NO_EVIDENCE, anchor: seen };
  const rollout = aRollout({ spec });
  return anchorStatusOf(anchor, { rollout, evidence, state: { kind: 'ready' } });
}

const LABELLED: RolloutSpec['steps'] = [
  { kind: 'analysis', require: ['labelledLoss'], reject: [] },
  { kind: 'promote' },
];

t.test('what a candidate is held to is shown, with what the anchor answered', async (t) => {
  const status = statusOf({ steps: LABELLED });
  t.match(status, { version: '0', spent: { loss: 0.009, unmeasured: 0 }, allowed: 0.02 });
  t.same(status.held, {
    ...{ claim: 'required', share: 100, state: { kind: 'ready' } },
    ...{ answered: 4, failed: 1, disagreement: 0.25 },
  });
});

t.test('where no claim is made, the status says why', async (t) => {
  t.equal(statusOf({}).held?.claim, 'unlabelled');
  t.equal(statusOf({ steps: LABELLED, anchorShare: 0 }).held?.claim, 'off');
  const stable = statusOf({ stable: '0', steps: LABELLED });
  t.equal(stable.held, undefined);
  t.same(stable.spent, { loss: 0, unmeasured: 0 });
});
