import t from 'tap';
import { ATTEMPT_DAYS, attemptShare } from '../../../src/core/attempt.ts';
import type { PastAttempt } from '../../../src/core/model-history.ts';
import type { LedgerRecord } from '../../../src/core/record.ts';
import { attemptNumber, attemptsWith } from '../../../src/rollout/history/attempts.ts';
import { aSpec, World } from '../builders.ts';

const DAY = 86_400_000;
const WEIGHTS = { stable: 'a', candidate: 'b' };

t.test('the parts of all attempts together are the budget', async (t) => {
  let sum = 0;
  for (let number = 1; number <= 100_000; number += 1) {
    sum += attemptShare({ number }, 0.05)?.falsePromotion ?? 0;
  }
  t.ok(sum < 0.05 && sum > 0.04999, `${sum}`);
  t.equal(attemptShare(undefined, 0.05), undefined);
});

t.test('an attempt counts for the same two, for a month', async (t) => {
  const past: readonly PastAttempt[] = [0, 1, 2].map((day) => ({
    weights: WEIGHTS,
    atMs: day * DAY,
  }));
  t.equal(attemptNumber(past, WEIGHTS, 3 * DAY), 4);
  t.equal(attemptNumber(past, WEIGHTS, (ATTEMPT_DAYS + 1) * DAY), 2);
  t.equal(attemptNumber(past, { ...WEIGHTS, candidate: 'c' }, 3 * DAY), 1);
  t.equal(attemptNumber(past, { ...WEIGHTS, stable: 'c' }, 3 * DAY), 1);
});

t.test('what is remembered is bounded, in time and in number', async (t) => {
  const one = { weights: WEIGHTS, atMs: 0 };
  t.same(attemptsWith([one], { ...one, atMs: 40 * DAY }), [{ ...one, atMs: 40 * DAY }]);
  let many: readonly PastAttempt[] = [];
  for (let index = 0; index < 1_500; index += 1) many = attemptsWith(many, one);
  t.equal(many.length, 1_000);
});

/** Begins a rollout of a version and aborts it. */
async function attempt(world: World, records: readonly LedgerRecord[], candidate: string) {
  const { controller, ledger } = world.boot(records);
  await world.resume(controller);
  const { salt: _, ...spec } = aSpec({ candidate });
  await controller.submit({ kind: 'start', spec });
  await controller.loaded('fashion');
  const status = controller.status('fashion');
  await controller.submit({ kind: 'abort', model: 'fashion', reason: 'again' });
  return { attempt: status?.attempt?.number, phase: status?.phase, records: ledger.records() };
}

t.test('attempts are counted by what the versions compute, over restarts', async (t) => {
  const world = new World();
  // Version 3 is version 2 exported again: other files, the same weights.
  world.weights.set('3', 'weights-2');
  let records: readonly LedgerRecord[] = [];
  const counted: unknown[] = [];
  for (const candidate of ['2', '3', '2']) {
    const done = await attempt(world, records, candidate);
    counted.push(done.attempt);
    records = done.records;
  }
  t.same(counted, [1, 2, 3]);
});

t.test('a trial that never began costs no attempt', async (t) => {
  const world = new World();
  world.prepareFault = 'no memory';
  const failed = await attempt(world, [], '2');
  t.equal(failed.phase, 'rolledBack');
  world.prepareFault = undefined;
  t.equal((await attempt(world, failed.records, '2')).attempt, 1);
});
