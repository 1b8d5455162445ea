import t from 'tap';
import {
  falseRollbackOf,
  HOLDBACK_PARTS,
  holdbackOf,
  holdbackPartAt,
  judgedSpec,
  partSpec,
} from '../../src/core/holdback.ts';
import type { RolloutSpec, Step } from '../../src/core/rollout.ts';
import { aRolloutSpec } from '../support/a-rollout-spec.ts';

const HOUR = 3_600_000;
const PROVE: Step = { kind: 'analysis', require: ['pairedErrors'], reject: ['liveLoss'] };
const HOLDBACK = { percent: 5, durationMs: HOUR };
const HELD = aRolloutSpec({
  steps: [PROVE, { kind: 'promote', holdback: HOLDBACK }],
  slices: [{ tone: 'dark' }],
});
const PLAIN = aRolloutSpec({ steps: [PROVE, { kind: 'promote' }] });

t.test('the budget of false rollbacks is shared by trial and holdback, beforehand', (t) => {
  const whole = judgedSpec({ spec: HELD, heldBackSinceMs: 1 });
  const parts = HOLDBACK_PARTS * falseRollbackOf(partSpec(whole));
  const sum = falseRollbackOf(HELD) + falseRollbackOf(whole) + parts;
  t.equal(sum, HELD.errorBudget.falseRollback);
  t.equal(falseRollbackOf(PLAIN), PLAIN.errorBudget.falseRollback);
  t.end();
});

t.test('a holdback has as many parts as were planned, however long it lasts', (t) => {
  const at = (ms: number) => holdbackPartAt({ sinceMs: 1_000 }, HOLDBACK, 1_000 + ms);
  t.same([-HOUR, 0, HOUR / 8, HOUR - 1, HOUR, 9 * HOUR].map(at), [1, 1, 2, 8, 8, 8]);
  t.end();
});

t.test('a trial is judged as its specification says, until its holdback', (t) => {
  t.equal(judgedSpec({ spec: HELD }), HELD);
  t.equal(judgedSpec({ spec: PLAIN, heldBackSinceMs: 1 }), PLAIN);
  t.equal(holdbackOf(HELD), HOLDBACK);
  t.equal(holdbackOf(PLAIN), undefined);
  t.end();
});

t.test('a holdback is judged on live traffic, and on labels that come in time', (t) => {
  const rejecting = (labels?: RolloutSpec['labels']) => {
    const spec = { ...HELD, ...(labels && { labels }) };
    const { steps, slices } = judgedSpec({ spec, heldBackSinceMs: 1 });
    t.same(slices, []);
    return steps;
  };
  const only = (...reject: readonly string[]) => [{ kind: 'analysis', require: [], reject }];
  t.same(rejecting(), only('errors', 'slowRequests'));
  const late = { windowMs: HOUR, selection: 'arrival' } as const;
  t.same(rejecting(late), only('errors', 'slowRequests'));
  const inTime = { ...late, windowMs: HOUR - 1 };
  t.same(rejecting(inTime), only('errors', 'slowRequests', 'liveLoss'));
  t.end();
});
