import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { LabelFolder } from '../../src/capture/label-folder.ts';
import { type Caller, hasRole, type Role } from '../../src/core/caller.ts';
import { HandClock } from '../../src/core/clock.ts';
import { ANY_ASKER, type Asker } from '../../src/core/entrance.ts';
import { NO_EVIDENCE } from '../../src/core/evidence.ts';
import type { LabelSource } from '../../src/core/label-source.ts';
import type { LabelSettings } from '../../src/trials/rollout-observer.ts';
import { RolloutObservers } from '../../src/trials/rollout-observers.ts';
import { aPackage, aPair } from '../models/builders.ts';
import { aRollout } from '../rollout/builders.ts';
import { until } from '../support/until.ts';

const WINDOW_MS = 60_000;
const target = { model: 'fashion', version: '2', rolloutId: aRollout().id };

function aDecider(parts: { settings?: Partial<LabelSettings>; labelFolder?: LabelFolder } = {}) {
  const clock = new HandClock();
  const callers = { perSecondMax: 100, labelsMax: 5 };
  const observers = new RolloutObservers({
    labelFolder: parts.labelFolder,
    contestant: ({ version }) => aPackage(version),
    labelSettings: () => ({
      ...{ windowMs: WINDOW_MS, storeBytesMax: 1_048_576, from: 'any', callers },
      ...parts.settings,
    }),
    clock,
    tokens: {
      read: () => {
        throw new Error('expected no token');
      },
    },
    order: () => undefined,
    onMirror: () => undefined,
    onInternalError: (operation, error) => t.fail(`${operation}: ${error}`),
  });
  observers.open(aRollout(), NO_EVIDENCE);
  /** A request that the mirror drew, whose answers are under way. */
  const send = (requestId: string, sentId: string, caller: string | undefined = 'key:shop') => {
    observers.receive({ kind: 'named', model: 'fashion', requestId, sentId, caller });
    observers.receive({ kind: 'drawn', target, requestId });
  };
  const pair = (requestId: string): void =>
    observers.receive({
      ...{ kind: 'paired', target, load: 1 },
      pair: aPair(requestId, { stable: 1, candidate: 2 }),
    });
  const label = (id: string, by: LabelSource, model = 'fashion') =>
    observers.labelById({ id, model }, 'coat', by);
  return { observers, clock, send, pair, label };
}

function by(name: string, ...roles: readonly Role[]): LabelSource {
  const caller: Caller = { name, grants: roles.map((role) => ({ role, models: ['fashion'] })) };
  const asker: Asker = {
    caller,
    may: (role, model) => hasRole(caller, role, model),
    check: (role, model) => {
      if (!hasRole(caller, role, model)) throw Object.assign(new Error(), { code: 'forbidden' });
    },
  };
  return { plane: 'data', address: '10.0.0.1', asker };
}

const SHOP = by('key:shop', 'infer');
const ANYBODY: LabelSource = { plane: 'data', address: '10.0.0.1', asker: ANY_ASKER };

t.test('a label by id joins its pair, before its answers or after, and counts', async (t) => {
  const { observers, clock, send, pair, label } = aDecider();
  for (const at of [1, 2]) send(`r${at}`, `order ${at}`);
  t.equal(label('order 1', SHOP), 'waiting');
  for (const at of [1, 2]) pair(`r${at}`);
  t.equal(label('order 2', SHOP), 'joined');
  t.equal(label('order 2', SHOP), 'duplicate');
  clock.advance(WINDOW_MS);
  const { labelledLoss, labelling } = observers.evidence(aRollout().id);
  t.same(labelledLoss.up, { 1000: 2 });
  t.match(labelling?.states, { waiting: 1, joined: 1, duplicate: 1 });
  t.equal(label('order 1', SHOP), 'late');
});

t.test(
  'without the role label a caller labels its own requests alone, and learns of no other',
  async (t) => {
    const { send, label } = aDecider();
    send('r1', 'order 1');
    t.equal(label('order 1', by('key:other', 'infer')), 'unknown');
    t.equal(
      label('no such order', by('key:other', 'infer')),
      'unknown',
      'as one that there is not',
    );
    for (const stranger of [by('key:viewer', 'view'), by('anonymous', 'infer'), by('key:none')])
      t.throws(() => label('order 1', stranger), { code: 'forbidden' });
    t.throws(() => label('order 1', SHOP, 'another'), { code: 'forbidden' });
    t.equal(label('order 1', by('key:rater', 'label')), 'waiting');
  },
);

t.test('an id that two tenants use is ambiguous to a rater, and not to them', async (t) => {
  const { send, label } = aDecider();
  send('r1', '1');
  send('r2', '1', 'key:other');
  t.equal(label('1', by('key:rater', 'label')), 'ambiguous');
  t.equal(label('1', SHOP), 'waiting');
  t.equal(label('1', by('key:other', 'infer')), 'waiting');
});

t.test('a repeated id is served and cannot be labelled', async (t) => {
  const { observers, send, label } = aDecider();
  send('r1', 'twice');
  send('r2', 'twice');
  t.equal(label('twice', SHOP), 'ambiguous');
  t.match(observers.evidence(aRollout().id).labelling?.states, { ambiguous: 1 });
});

t.test('without authentication any client may label by id', async (t) => {
  const { observers, label } = aDecider();
  const named = { kind: 'named', model: 'fashion', requestId: 'r1', sentId: 'a' } as const;
  observers.receive({ ...named, caller: undefined });
  t.equal(label('a', ANYBODY), 'notSampled', 'it came, and was not drawn');
  observers.receive({ kind: 'drawn', target, requestId: 'r1' });
  t.equal(label('a', ANYBODY), 'waiting');
  t.equal(label('b', ANYBODY, 'another model'), 'unknown');
});

t.test('guessed ids are bounded by the second, and use up no labels of the rollout', async (t) => {
  const { observers, clock, send, label } = aDecider();
  send('r1', 'order 1');
  for (let n = 0; n < 100; n += 1) t.equal(label(`guess ${n}`, SHOP), 'unknown');
  t.throws(() => label('order 1', SHOP), { code: 'overloaded', retryAfterMs: 10 });
  clock.advance(1_000);
  t.equal(label('order 1', SHOP), 'waiting', 'of five labels in a rollout none was used');
  t.same(observers.evidence(aRollout().id).labelling?.states, { unknown: 100, waiting: 1 });
});

t.test('whose labels are taken holds for labels by id', async (t) => {
  const { send, label } = aDecider({ settings: { from: 'role:label' } });
  send('r1', 'order 1');
  t.throws(() => label('order 1', SHOP), { code: 'forbidden' });
  t.equal(label('order 1', by('key:rater', 'label')), 'waiting');
});

t.test(
  'after a restart an id still finds its request, and until then none is unknown',
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'understudy-by-id-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const labelFolder = new LabelFolder({ folder, clock: new HandClock(), onError: t.error });
    const first = aDecider({ labelFolder });
    first.send('r1', 'order 1');
    first.pair('r1');
    await first.observers.stop();

    const next = aDecider({ labelFolder });
    t.throws(() => next.label('order 1', SHOP), { code: 'overloaded', retryAfterMs: 1_000 });
    await until('the ids have been read', () => {
      next.clock.advance(20);
      try {
        return next.label('order 1', SHOP) !== 'waiting';
      } catch {
        return false;
      }
    });
    t.equal(next.label('order 1', SHOP), 'duplicate');
  },
);
