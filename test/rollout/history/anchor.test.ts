import t from 'tap';
import { type Anchor, spentSince } from '../../../src/core/anchor.ts';
import type { RolloutSpec } from '../../../src/core/rollout.ts';
import type { MetricStatus, Verdict } from '../../../src/core/verdict.ts';
import type { Controller } from '../../../src/rollout/controller.ts';
import { anchorAfterPromotion, anchorAfterRoute } from '../../../src/rollout/history/anchor.ts';
import { aRollout, aSpec, World } from '../builders.ts';

const SET = { kind: 'setAnchor', model: 'fashion', reason: 'audited' } as const;

/** A verdict by which the candidate's labelled loss differs so from stable's. */
function passOn(loss: number, superior: boolean): Verdict {
  const status: MetricStatus = {
    ...{ metric: 'labelledLoss', slice: undefined, finding: 'nonInferior', role: 'gate' },
    ...{ logHarm: 0, logHarmNeeded: 5, logSafe: 4, logSafeNeeded: 3, superior },
    ...{ samples: 3_000, candidateEvents: 30, referenceEvents: 30, estimate: loss },
    ...{ margin: 'mean loss', samplesToGo: 0, missing: undefined },
  };
  return { kind: 'pass', metrics: [status], decidedBy: [], reasons: [] };
}

/** A promotion of a candidate over a stable version, `loss` worse. */
function promoted(
  anchor: Anchor | undefined,
  step: { from: string; to: string; loss?: number; superior?: boolean },
): Anchor | undefined {
  const { from: stable, to: candidate, loss, superior = false } = step;
  const plan = anchor && {
    version: anchor.version,
    digest: anchor.digest,
    spent: spentSince(anchor),
  };
  const spec: RolloutSpec = aSpec({ stable, candidate, ...(plan && { anchor: plan }) });
  const rollout = aRollout({ spec, id: `fashion-${candidate}` });
  const verdict = loss === undefined ? undefined : passOn(loss, superior);
  return anchorAfterPromotion(anchor, { rollout, digest: `d${candidate}`, verdict, atMs: 1 });
}

const FIRST: Anchor = {
  version: '1',
  digest: 'd1',
  sinceMs: 0,
  by: 'first',
  why: 'stable at the first rollout',
  moves: [],
};

t.test('allowed loss adds up over promotions, and what was not measured is counted', async (t) => {
  const once = promoted(FIRST, { from: '1', to: '2', loss: 0.009 });
  const twice = promoted(once, { from: '2', to: '3', loss: 0.008 });
  const byHand = promoted(twice, { from: '3', to: '4' });
  t.equal(byHand?.version, '1');
  t.same(byHand && spentSince(byHand, '4'), { loss: 0.009 + 0.008, unmeasured: 1 });
  t.same(byHand && spentSince(byHand, '9'), { loss: 0.009 + 0.008, unmeasured: 2 });
  t.same(byHand && spentSince(byHand, '1'), { loss: 0, unmeasured: 0 });
});

t.test('a candidate that is better than the anchor becomes the anchor', async (t) => {
  const moved = promoted(FIRST, { from: '1', to: '2', loss: -0.03, superior: true });
  t.match(moved, { version: '2', digest: 'd2', by: 'superior', moves: [] });
});

t.test('a candidate that is better than a worse stable version does not', async (t) => {
  const worse = promoted(FIRST, { from: '1', to: '2', loss: 0.018 });
  const better = promoted(worse, { from: '2', to: '3', loss: -0.002, superior: true });
  t.equal(better?.version, '1');
  t.same(better && spentSince(better), { loss: 0.018 - 0.002, unmeasured: 0 });
});

t.test('an anchor that is promoted itself has lost nothing', async (t) => {
  const once = promoted(FIRST, { from: '1', to: '2', loss: 0.009 });
  t.same(promoted(once, { from: '2', to: '1', loss: -0.009 }), FIRST);
});

t.test('what stable goes back on counts no more, a move of the anchor included', async (t) => {
  const once = promoted(FIRST, { from: '1', to: '2', loss: 0.009 });
  const twice = promoted(once, { from: '2', to: '3', loss: 0.008 });
  t.same(anchorAfterRoute(twice, '2', 2), once);
  t.same(anchorAfterRoute(twice, '1', 2), FIRST);
  const moved = promoted(FIRST, { from: '1', to: '2', loss: -0.03, superior: true });
  t.same(anchorAfterRoute(moved, '2', 2), moved, 'the route that a promotion leads to');
  t.same(anchorAfterRoute(moved, '1', 2), FIRST);
});

t.test('many promotions are added up', async (t) => {
  let anchor: Anchor | undefined = FIRST;
  for (let at = 2; at < 252; at += 1)
    anchor = promoted(anchor, { from: `${at - 1}`, to: `${at}`, loss: 0.001 });
  t.equal(anchor?.moves.length, 100);
  t.equal(anchor && spentSince(anchor).loss.toFixed(6), '0.250000');
});

/** A rollout of the world that a person promotes. */
async function promotedByHand(world: World, controller: Controller): Promise<void> {
  const stable = world.table.get('fashion')?.stable ?? '1';
  const spec = aSpec({ stable, candidate: stable === '2' ? '3' : '2' });
  t.match(await controller.submit({ kind: 'start', spec }), { kind: 'applied' });
  await controller.loaded('fashion');
  await controller.submit({ kind: 'promote', model: 'fashion', reason: 'seen enough' });
}

t.test(
  'the first stable version is the anchor, over restarts, until a person sets one',
  async (t) => {
    const world = new World();
    const { controller, ledger } = world.boot();
    await world.resume(controller);
    await promotedByHand(world, controller);
    const shown = { version: '1', by: 'first', spent: { loss: 0, unmeasured: 1 }, allowed: 0.02 };
    t.match(controller.status('fashion')?.anchor, shown);

    const next = world.boot(ledger.records()).controller;
    await world.resume(next);
    t.match(next.status('fashion')?.anchor, shown, 'a fold of the ledger');
    t.match(await next.submit({ ...SET, version: '7' }), {
      kind: 'refused',
      code: 'unknown_version',
    });
    t.match(await next.submit({ ...SET, version: '2' }), { kind: 'applied', notYet: undefined });
    t.match(next.status('fashion')?.anchor, {
      ...{ version: '2', by: 'person', why: 'audited' },
      spent: { loss: 0, unmeasured: 0 },
    });
  },
);

t.test('what cannot be held to its anchor does not begin, and says what to do', async (t) => {
  const world = new World();
  const { controller } = world.boot();
  await world.resume(controller);
  await promotedByHand(world, controller);
  const labelled: RolloutSpec['steps'] = [
    { kind: 'analysis', require: ['labelledLoss'], reject: [] },
    { kind: 'promote' },
  ];
  const spec = aSpec({ stable: '2', candidate: '3', steps: labelled, anchorShare: 100 });
  const start = { kind: 'start', spec } as const;
  world.digests.delete('1');
  t.match(await controller.submit(start), {
    code: 'unknown_version',
    why: /version 1, the anchor of fashion, is not in the repository: .* understudy rollout anchor fashion VERSION/,
  });
  world.digests.set('1', 'other');
  t.match(await controller.submit(start), { code: 'invalid', why: /has other files than when/ });
  const without = { ...start, spec: { ...spec, anchorShare: 0 } };
  t.match(await controller.submit(without), { kind: 'applied' });
  t.match(controller.status('fashion')?.anchor, { held: { claim: 'off', share: 0 } });
});

t.test('a rollout begins with the anchor on record, which stays while it runs', async (t) => {
  const world = new World();
  const { controller, ledger } = world.boot();
  await world.resume(controller);
  await promotedByHand(world, controller);
  const spec = aSpec({ stable: '2', candidate: '3' });
  t.match(controller.counted(spec).anchor, { version: '1', digest: 'digest-1' }, 'of a plan too');
  await controller.submit({ kind: 'start', spec });
  t.match(await controller.submit({ ...SET, version: '3' }), {
    kind: 'refused',
    code: 'rollout_running',
    why: /against the anchor that it began with/,
  });
  const started = ledger.records().findLast(({ body }) => body.kind === 'rolloutStarted');
  t.match(started?.body, { rollout: { spec: { anchor: { version: '1', digest: 'digest-1' } } } });
});
