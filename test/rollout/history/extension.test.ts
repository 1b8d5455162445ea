import t from 'tap';
import { NO_EVIDENCE } from '../../../src/core/evidence.ts';
import type { Phase } from '../../../src/core/rollout.ts';
import { endedOutOfTime } from '../../../src/core/rollout.ts';
import { extended, refusalOfExtension } from '../../../src/rollout/history/extension.ts';
import { aRollout, aSpec, evidenceOf, PROVE, paused, progressing, World } from '../builders.ts';

const HOUR = 3_600_000;
const REASON = { model: 'fashion', reason: 'a quiet weekend' } as const;
const EXTEND = { ...REASON, kind: 'extend', forMs: HOUR } as const;
const OUT_OF_TIME: Phase = { kind: 'rolledBack', atMs: 9, why: 'time', decidedBy: ['maxDuration'] };

t.test(
  'a trial that pauses for want of time goes on in its step, with so much more of it',
  async (t) => {
    const phase: Phase = { kind: 'paused', step: 4, sinceMs: HOUR, why: 'time' };
    const rollout = extended({ rollout: aRollout({ phase }), step: 4 }, EXTEND, 3 * HOUR);
    t.same(rollout.phase, progressing(4, 3 * HOUR));
    t.equal(rollout.spec.maxDurationMs, 4 * HOUR);
  },
);

t.test(
  'a trial that pauses for another reason, or runs, gets the time and stays as it is',
  async (t) => {
    for (const phase of [paused(4), progressing(2), { kind: 'loading', sinceMs: 0 } as const]) {
      const rollout = extended({ rollout: aRollout({ phase }), step: 4 }, EXTEND, HOUR / 2);
      t.same(rollout.phase, phase);
      t.equal(rollout.spec.maxDurationMs, 1.5 * HOUR);
    }
  },
);

t.test('only want of time is made up for', async (t) => {
  const trial = (phase: Phase) => ({ rollout: aRollout({ phase }), step: 4 });
  t.equal(refusalOfExtension(trial(OUT_OF_TIME), 'fashion'), undefined);
  t.ok(endedOutOfTime(aRollout({ phase: OUT_OF_TIME })));
  const others: readonly Phase[] = [
    { ...OUT_OF_TIME, decidedBy: ['errors'] },
    { kind: 'promoted', atMs: 9 },
    { kind: 'aborted', atMs: 9, why: 'enough' },
  ];
  for (const phase of others) {
    t.match(refusalOfExtension(trial(phase), 'fashion'), { code: 'no_rollout', why: /has ended/ });
  }
  t.match(refusalOfExtension(undefined, 'fashion'), { code: 'no_rollout', why: /no rollout/ });
});

const TIMED = aSpec({
  steps: [PROVE, { kind: 'promote' }],
  onInconclusive: 'rollback',
  maxDurationMs: HOUR,
});

/** A rollout that has ended for want of time, with evidence. */
async function outOfTime() {
  const world = new World();
  const { controller, ledger } = world.boot();
  await world.resume(controller);
  const { salt: _, ...spec } = TIMED;
  await controller.submit({ kind: 'start', spec });
  await controller.loaded('fashion');
  world.evidence = evidenceOf('inconclusive', 40);
  world.clock.advance(HOUR);
  await controller.tick();
  return { world, controller, ledger };
}

t.test(
  'a trial whose time was over continues with its evidence, and can be promoted',
  async (t) => {
    const { world, controller } = await outOfTime();
    t.match(controller.status('fashion'), { phase: 'rolledBack', decidedBy: ['maxDuration'] });
    world.evidence = NO_EVIDENCE;
    const result = await controller.submit(EXTEND);
    t.match(result, { kind: 'applied', rolloutId: 'fashion-2-1' });
    t.match(controller.status('fashion'), { phase: 'progressing', step: { number: 1 } });
    t.same(world.evidence, evidenceOf('inconclusive', 40), 'the window opens with what was seen');
    world.evidence = evidenceOf('pass', 80);
    await controller.tick();
    await controller.tick();
    t.match(controller.status('fashion'), { phase: 'promoted' });
    t.equal(world.shares(), 'stable=2:10000');
    t.same(world.errors, []);
  },
);

t.test('an extension never shortens a trial', async (t) => {
  const { controller } = await outOfTime();
  await controller.submit({ ...EXTEND, forMs: 9 * HOUR });
  await controller.submit({ ...EXTEND, forMs: HOUR });
  t.equal(controller.status('fashion')?.maxDurationMs, 10 * HOUR);
});

t.test('a restart after an extension goes on where it stood', async (t) => {
  const { world, controller, ledger } = await outOfTime();
  await controller.submit(EXTEND);
  const reborn = world.boot(ledger.records());
  await world.resume(reborn.controller);
  t.match(reborn.controller.status('fashion'), {
    phase: 'progressing',
    maxDurationMs: 2 * HOUR,
  });
});

t.test('what can no longer be compared is not taken up again', async (t) => {
  const { world, controller } = await outOfTime();
  world.digests.set('2', 'another');
  t.match(await controller.submit(EXTEND), {
    code: 'invalid',
    why: 'package 2 has changed since rollout fashion-2-1 ended: start another',
  });
});
