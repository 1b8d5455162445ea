import type { Evidence } from '../../src/core/evidence.ts';
import { NO_ANCHOR, NO_EVIDENCE } from '../../src/core/evidence.ts';
import type { LedgerRecord } from '../../src/core/record.ts';
import type { RolloutSpec } from '../../src/core/rollout.ts';
import type { Share } from '../../src/core/route.ts';
import { decide } from '../../src/decide/decide.ts';
import type { Controller } from '../../src/rollout/controller.ts';
import { aSpec, differences, goodEvidence } from '../decide/builders.ts';
import { World } from './builders.ts';

const ALL_TO_1: readonly Share[] = [{ arm: 'stable', version: '1', weightBp: 10_000 }];

/**
 * What a controller of this version records, with the real rules, of a life in which everything happens once that a record can
 * tell of: routes by command and by configuration, a trial promoted, one rolled back, one paused and aborted, one left to a person,
 * and each breaker. A checkpoint comes after so many records, by default never.
 */
export async function goldenStory(checkpointEvery?: number): Promise<readonly LedgerRecord[]> {
  const world = new World();
  world.checkpointEvery = checkpointEvery;
  const { controller, ledger } = world.boot([], decide);
  await world.resume(controller);
  await setRoutes(controller);
  await reload(controller);
  await promoted(world, controller);
  await rolledBack(world, controller);
  await pausedAndAborted(world, controller);
  await promotedByHand(world, controller);
  await extended(world, controller);
  for (const cause of ['crashLoop', 'outOfMemory', 'loadFailed'] as const) {
    await started(world, controller, {});
    await controller.trip('fashion', { cause, detail: `a ${cause} of the candidate` });
  }
  if (world.errors.length > 0) throw new Error(world.errors.join('\n'));
  return ledger.records();
}

/** What a controller records of a trial that runs out of time, twice: extended while it is paused, and after it has ended. */
export async function extensionStory(): Promise<readonly LedgerRecord[]> {
  const world = new World();
  const { controller, ledger } = world.boot([], decide);
  await world.resume(controller);
  await extended(world, controller);
  if (world.errors.length > 0) throw new Error(world.errors.join('\n'));
  return ledger.records();
}

/**
 * What a controller records of an anchor: a promotion that may use up allowed loss against it, a candidate that is refused for that, a
 * promotion that moves it, and a person who sets another, once too early.
 */
export async function anchorStory(): Promise<readonly LedgerRecord[]> {
  const world = new World();
  const { controller, ledger } = world.boot([], decide);
  await world.resume(controller);
  const set = { kind: 'setAnchor', model: 'fashion', reason: 'audited' } as const;
  await started(world, controller, { claim: 'noWorse' });
  await controller.submit({ ...set, version: '3' });
  await looks(world, controller, [IN_SHADOW, IN_SHADOW, GOOD, GOOD, GOOD, GOOD]);
  await started(world, controller, { claim: 'noWorse', anchorShare: 100 });
  const loss = differences([-1, 20], [0, 2_850], [1, 130]);
  const crept = { ...IN_SHADOW, anchor: { ...NO_ANCHOR, answered: 3_000, loss } };
  await looks(world, controller, [NO_EVIDENCE, crept]);
  await controller.submit({ ...set, version: '2' });
  const labelledLoss = differences([-1, 200], [0, 2_770], [1, 30]);
  const better = { ...GOOD, labelledLoss };
  await started(world, controller, { claim: 'superior' });
  await looks(world, controller, [
    { ...better, ...NOT_LIVE },
    { ...better, ...NOT_LIVE },
  ]);
  await looks(world, controller, [better, better, better, better]);
  if (world.errors.length > 0) throw new Error(world.errors.join('\n'));
  return ledger.records();
}

/** Who gave commands, from where, and who may call. */
export async function accessStory(): Promise<readonly LedgerRecord[]> {
  const world = new World();
  const { controller, ledger } = world.boot([], decide);
  await world.resume(controller);
  const by = { caller: 'key:release', address: '10.0.0.7' };
  const key = { kind: 'access', caller: 'key:release', keyId: 'Ab3dEf9h' } as const;
  await controller.note({ ...key, what: 'keyAdded' });
  const spec = aSpec();
  await controller.submit({ kind: 'start', spec, by });
  await controller.submit({ kind: 'abort', model: 'fashion', reason: 'too early', by });
  await controller.note({ ...key, what: 'keyChanged' });
  const ann = { caller: 'user:ann', address: '10.0.0.8' };
  await controller.note({ kind: 'access', what: 'signedIn', ...ann });
  const revision = controller.route('fashion')?.revision ?? 0;
  const shares = [{ arm: 'stable', version: '1', weightBp: 10_000 }] as const;
  const route = { kind: 'setRoute', model: 'fashion', revision, stable: '1', shares } as const;
  await controller.submit({ ...route, mirror: undefined, by: ann });
  await controller.note({ kind: 'access', what: 'signedOut', ...ann });
  await controller.note({ ...key, what: 'keyRevoked' });
  await controller.note({ ...key, what: 'keyRemoved' });
  if (world.errors.length > 0) throw new Error(world.errors.join('\n'));
  return ledger.records();
}

/** What a controller records of holdbacks: one ended by its time, one undone; and a promotion that is undone once it is final. */
export async function holdbackStory(): Promise<readonly LedgerRecord[]> {
  const world = new World();
  const { controller, ledger } = world.boot([], decide);
  await world.resume(controller);
  const holdback = { percent: 5, durationMs: 120_000 };
  const steps = [...aSpec().steps.slice(0, -1), { kind: 'promote', holdback }] as const;
  const asked = { model: 'fashion', reason: 'a reason' } as const;
  for (const ends of [() => looks(world, controller, [NO_EVIDENCE, NO_EVIDENCE]), undefined]) {
    await started(world, controller, { steps });
    await controller.submit({ ...asked, kind: 'promote' });
    await ends?.();
    await controller.submit({ ...asked, kind: 'undo' });
  }
  if (world.errors.length > 0) throw new Error(world.errors.join('\n'));
  return ledger.records();
}

/** What a controller records of a pause by command, and of undos that name what they mean: the wrong one, the right one, and again. */
export async function pauseStory(): Promise<readonly LedgerRecord[]> {
  const world = new World();
  const { controller, ledger } = world.boot([], decide);
  await world.resume(controller);
  const asked = { model: 'fashion', reason: 'a reason' } as const;
  await started(world, controller, {});
  await controller.submit({ ...asked, kind: 'pause' });
  await looks(world, controller, [IN_SHADOW, IN_SHADOW, IN_SHADOW, IN_SHADOW]);
  await controller.submit({ ...asked, kind: 'resume' });
  await controller.submit({ ...asked, kind: 'promote' });
  for (const rolloutId of ['fashion-2-7', 'fashion-2-1', 'fashion-2-1'])
    await controller.submit({ ...asked, kind: 'undo', rolloutId });
  if (world.errors.length > 0) throw new Error(world.errors.join('\n'));
  return ledger.records();
}

/** A split and a mirror, a command that comes too late, and all traffic back to stable. */
async function setRoutes(controller: Controller): Promise<void> {
  const command = { kind: 'setRoute', model: 'fashion', stable: '1', mirror: undefined } as const;
  const shares = [
    { arm: 'other', version: '3', weightBp: 500 },
    { arm: 'stable', version: '1', weightBp: 9_500 },
  ] as const;
  const mirror = { version: '2', sampleBp: 2_000, twinBp: 500 };
  await controller.submit({ ...command, revision: 1, shares, mirror });
  await controller.submit({ ...command, revision: 1, shares: ALL_TO_1 });
  await controller.submit({ ...command, revision: 2, shares: ALL_TO_1 });
}

async function reload(controller: Controller): Promise<void> {
  const change = { key: 'models.fashion.queue.deadlineMs', from: '1000', to: '2000' };
  await controller.reconfigure({
    command: {
      actor: 'SIGHUP',
      reason: 'SIGHUP',
      changes: [{ ...change, effect: 'applied' }],
      changesOmitted: 1,
    },
    models: [
      {
        model: 'fashion',
        rules: [{ attribute: 'header:x-canary', equals: 'always', version: '3' }],
        aliases: { mine: '3' },
        asked: {
          kind: 'set',
          setting: { model: 'fashion', stable: '1', shares: ALL_TO_1, mirror: undefined },
        },
        trialKeys: ['route'],
        changed: new Set(),
        versions: new Set(['1', '2', '3']),
        needsHosts: false,
        prepare: async () => undefined,
        isPrepared: () => true,
        end: async () => undefined,
      },
    ],
    isDryRun: false,
    commit: () => undefined,
  });
}

async function started(
  world: World,
  controller: Controller,
  fields: Partial<RolloutSpec>,
): Promise<void> {
  const stable = world.table.get('fashion')?.stable ?? '1';
  const spec = aSpec({ stable, candidate: stable === '2' ? '3' : '2', ...fields });
  await controller.submit({ kind: 'start', spec });
  await controller.loaded('fashion');
}

/** Looks a minute apart. */
async function looks(
  world: World,
  controller: Controller,
  seen: readonly Evidence[],
): Promise<void> {
  for (const evidence of seen) {
    world.evidence = evidence;
    world.clock.advance(60_000);
    await controller.tick();
  }
}

const GOOD = goodEvidence({ erredUnits: ['0f1e2d3c4b5a6978'], slowUnits: ['8796a5b4c3d2e1f0'] });
const NOT_LIVE = { live: {}, liveErrors: {}, liveFelt: {}, erredUnits: [], slowUnits: [] };
const IN_SHADOW = { ...GOOD, ...NOT_LIVE };

async function promoted(world: World, controller: Controller): Promise<void> {
  await started(world, controller, {});
  const few = { ...IN_SHADOW, disagreement: differences([0, 20]), labels: NO_EVIDENCE.labels };
  await looks(world, controller, [NO_EVIDENCE, few, IN_SHADOW, IN_SHADOW, GOOD, GOOD, GOOD, GOOD]);
}

async function rolledBack(world: World, controller: Controller): Promise<void> {
  await started(world, controller, {
    intent: 'improve',
    expectedDisagreement: { rate: 0.1, digest: 'gates' },
  });
  const slice = 'garment=upper,tone=dark';
  const harm = differences([0, 300], [1, 200]);
  const bad = { ...IN_SHADOW, labelledLossBySlice: { [slice]: harm } };
  await looks(world, controller, [NO_EVIDENCE, bad]);
}

/** Out of time, resumed, and aborted while the ledger's disk is full: that is written once there is room. */
async function pausedAndAborted(world: World, controller: Controller): Promise<void> {
  await started(world, controller, { maxDurationMs: 120_000 });
  await looks(world, controller, [NO_EVIDENCE, NO_EVIDENCE, NO_EVIDENCE]);
  await controller.submit({ kind: 'resume', model: 'fashion', reason: 'wait for more traffic' });
  world.diskFault = 'ENOSPC';
  await controller.submit({ kind: 'abort', model: 'fashion', reason: 'enough' });
  world.diskFault = undefined;
  await looks(world, controller, [NO_EVIDENCE]);
}

async function promotedByHand(world: World, controller: Controller): Promise<void> {
  await started(world, controller, {});
  await controller.submit({ kind: 'promote', model: 'fashion', reason: 'seen enough' });
}

/** Under the first rules, which are final. */
async function extended(world: World, controller: Controller): Promise<void> {
  for (const onInconclusive of ['pause', 'rollback'] as const) {
    await started(world, controller, { rules: 1, maxDurationMs: 120_000, onInconclusive });
    await looks(world, controller, [NO_EVIDENCE, IN_SHADOW, NO_EVIDENCE]);
    const extend = { kind: 'extend', model: 'fashion', reason: 'a quiet weekend' } as const;
    await controller.submit({ ...extend, forMs: 600_000 });
    await looks(world, controller, [IN_SHADOW, NO_EVIDENCE]);
    await controller.submit({ kind: 'abort', model: 'fashion', reason: 'seen enough' });
  }
}
