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
import type { MirrorEvent, Order, RolloutReport } from '../../src/core/messages.ts';
import { seededRandom } from '../../src/core/random.ts';
import { LiveWatch } from '../../src/mirror/live-watch.ts';
import type { LabelSettings } from '../../src/trials/rollout-observer.ts';
import { RolloutObservers } from '../../src/trials/rollout-observers.ts';
import {
  ALL,
  anAssignment,
  answered,
  aRequest,
  DRAWN,
  failed,
  HandShadowHost,
  settle,
} from '../mirror/builders.ts';
import { aPackage, aPair } from '../models/builders.ts';
import { aRollout, aSpec, PROVE } from '../rollout/builders.ts';
import { aClientAt, BY_ADMIN } from '../support/a-label-source.ts';
import { until } from '../support/until.ts';

const FROM_ANY = { from: 'any' as const, callers: { perSecondMax: 100, labelsMax: 1_000 } };

const target = { model: 'fashion', version: '2', rolloutId: aRollout().id };
function aDecider(
  order: (order: Order) => void = () => undefined,
  over: Partial<LabelSettings> = {},
  parts: { readonly labelFolder?: LabelFolder; readonly clock?: HandClock } = {},
) {
  const events: MirrorEvent[] = [];
  const errors: string[] = [];
  const clock = parts.clock ?? new HandClock();
  const observers = new RolloutObservers({
    labelFolder: parts.labelFolder,
    contestant: ({ version }) => (version === '3' ? undefined : aPackage(version)),
    labelSettings: () => ({ windowMs: 60_000, storeBytesMax: 1_048_576, ...FROM_ANY, ...over }),
    clock,
    tokens: {
      read: (token) => {
        const [model = '', version = '', requestId = ''] = token.split('/');
        return { model, version, requestId, issuedMs: 0 };
      },
    },
    order,
    onMirror: (event) => events.push(event),
    onInternalError: (operation) => errors.push(operation),
  });
  return { observers, events, errors, clock };
}

/** A serving process whose reports pass through `channel`. */
function aServer(
  channel: (report: RolloutReport) => void,
  readMirror: () => typeof ALL | undefined = () => ALL,
) {
  const shadow = new HandShadowHost();
  const watch = new LiveWatch({
    readMirror,
    shadowHost: () => shadow,
    clock: new HandClock(),
    random: seededRandom(1),
    limits: {
      concurrency: 8,
      queueRequestsMax: 64,
      queueBytesMax: 1_000_000,
      bytesMax: 1_000_000,
      deadlineMs: 100,
      lateMs: 1_000,
    },
    liveInFlight: () => 1,
    report: channel,
    knownInputs: () => aRequest().inputs,
    issueToken: ({ model, version, requestId }) => `${model}/${version}/${requestId}`,
    onInternalError: () => undefined,
  });
  const send = async (id: string, code?: Parameters<typeof failed>[0]) => {
    const ends = watch.taps.map((tap) => tap(aRequest(id, { unit: `unit ${id}` }), DRAWN));
    for (const end of ends) end?.(code === undefined ? answered() : failed(code));
    const mirrored = watch.taps.map((tap) => tap(aRequest(`${id} too`), anAssignment()));
    for (const end of mirrored) end?.(answered());
    await settle();
    for (const run of shadow.runs.splice(0)) run.answer();
    await settle();
  };
  return { watch, send, shadow };
}

t.test('reports are plain data: cloned ones give the same evidence', async (t) => {
  const texts: string[] = [];
  for (const pass of [structuredClone, (report: RolloutReport) => report]) {
    const servers: LiveWatch[] = [];
    const { observers } = aDecider((order) => {
      if (order.kind === 'rollout') for (const watch of servers) watch.obey(structuredClone(order));
    });
    const { watch, send } = aServer((report) => observers.receive(pass(report)));
    servers.push(watch);
    observers.open(aRollout(), NO_EVIDENCE);
    for (let n = 0; n < 5; n += 1) await send(`r${n}`, n === 3 ? 'runtime_failed' : undefined);
    texts.push(JSON.stringify(observers.evidence(aRollout().id)));
  }
  t.equal(texts[0], texts[1]);
  t.match(JSON.parse(texts[0] ?? ''), {
    mirror: { eligible: 5, compared: 5 },
    live: { '500:9500': { candidate: { requests: 5, errors: 1 } } },
  });
});

t.test('a rollout whose version is missing collects no evidence, and is reported', async (t) => {
  const { observers, errors } = aDecider(() => t.fail('expected no order'));
  observers.open(aRollout({ spec: aSpec({ candidate: '3' }) }), NO_EVIDENCE);
  t.same(errors, ['open rollout']);
  t.same(observers.evidence(aRollout().id), NO_EVIDENCE);
});

t.test('a holdback begins with no evidence, and counts what comes from then on', async (t) => {
  const servers: LiveWatch[] = [];
  const { observers } = aDecider((order) => {
    if (order.kind === 'rollout') for (const watch of servers) watch.obey(order);
  });
  const { watch, send } = aServer((report) => observers.receive(report));
  servers.push(watch);
  const holdback = { percent: 5, durationMs: 3_600_000 };
  const spec = aSpec({ steps: [PROVE, { kind: 'promote', holdback }] });
  observers.open(aRollout({ spec }), NO_EVIDENCE);
  await send('r1');
  const requests = () => observers.evidence(aRollout().id).live['500:9500']?.candidate.requests;
  t.equal(requests(), 1);
  observers.open(aRollout({ spec, heldBackSinceMs: 1 }), NO_EVIDENCE);
  t.equal(requests(), undefined);
  await send('r2');
  t.equal(requests(), 1);
});

t.test('several serving processes report to one decider', async (t) => {
  const { observers, events, errors } = aDecider((order) => {
    if (order.kind === 'rollout') for (const { watch } of servers) watch.obey(order);
  });
  const servers = ['a', 'b', 'c'].map(() => aServer((report) => observers.receive(report)));
  observers.open(aRollout(), NO_EVIDENCE);
  await Promise.all(servers.map(({ send }, at) => send(`from ${at}`)));
  const { live, mirror } = observers.evidence(aRollout().id);
  t.equal(live['500:9500']?.candidate.units, 3);
  t.equal(mirror.compared, 3);
  t.equal(events.length, 3);
  t.same(errors, []);
});

t.test('a known request goes through the mirror and counts in no evidence', async (t) => {
  const { observers, events } = aDecider((order) => {
    if (order.kind === 'rollout') watch.obey(order);
    if (order.kind === 'checkMirror') watch.checkMirror(order);
  });
  const { watch, shadow } = aServer((report) => observers.receive(report));
  const { id } = aRollout();
  observers.open(aRollout(), NO_EVIDENCE);
  t.equal(observers.mirrorHealth(id)?.state, 'unknown');
  await settle();
  t.equal(shadow.runs.length, 1);
  for (const run of shadow.runs.splice(0)) run.answer();
  await settle();
  t.equal(observers.mirrorHealth(id)?.state, 'working');
  const { labelling, ...evidence } = observers.evidence(id);
  t.same(evidence, NO_EVIDENCE);
  t.equal(labelling?.waiting, 0);
  t.same(events, []);
});

t.test('known requests that the shadow host does not run are reported', async (t) => {
  const { observers, clock } = aDecider((order) => {
    if (order.kind === 'rollout') watch.obey(order);
    if (order.kind === 'checkMirror') watch.checkMirror(order);
  });
  const { watch, shadow } = aServer((report) => observers.receive(report));
  const { id } = aRollout();
  observers.open(aRollout(), NO_EVIDENCE);
  for (let second = 0; second < 75; second += 1) {
    clock.advance(1_000);
    observers.mirrorHealth(id);
    await settle();
    for (const run of shadow.runs.splice(0)) run.reject('overloaded');
    await settle();
  }
  t.match(observers.mirrorHealth(id), { state: 'failing', why: /\(failed\)/ });
});

t.test(
  'a step that mirrors nothing has no mirror to fail, and a mirror that throws fails',
  async (t) => {
    const state = async (readMirror: () => typeof ALL | undefined) => {
      const { observers, clock } = aDecider((order) => {
        if (order.kind === 'rollout') watch.obey(order);
        if (order.kind === 'checkMirror') watch.checkMirror(order);
      });
      const { watch } = aServer((report) => observers.receive(report), readMirror);
      observers.open(aRollout(), NO_EVIDENCE);
      for (let second = 0; second < 150; second += 1) {
        clock.advance(1_000);
        observers.mirrorHealth(aRollout().id);
        await settle();
      }
      return observers.mirrorHealth(aRollout().id)?.state;
    };
    t.equal(await state(() => undefined), 'unknown');
    t.equal(
      await state(() => {
        throw new Error('boom');
      }),
      'failing',
    );
  },
);

t.test('evidence says when the last request came that can count', async (t) => {
  const { observers } = aDecider();
  const rollout = aRollout({ spec: { ...aRollout().spec, rules: 2 } });
  observers.open(rollout, NO_EVIDENCE);
  t.equal(observers.evidence(rollout.id).latestMs, undefined);
  observers.receive({ kind: 'unmirrored', target, event: { kind: 'notSampled' } });
  t.equal(observers.evidence(rollout.id).latestMs, new HandClock().wallMs());
  observers.open(rollout, { ...NO_EVIDENCE, latestMs: 77 });
  t.equal(observers.evidence(rollout.id).latestMs, 77, 'a restart forgets nothing');
});

t.test('answers can be labelled while a rollout is open, and no longer', async (t) => {
  const { observers } = aDecider((order) => {
    if (order.kind === 'rollout') watch.obey(order);
  });
  const { watch } = aServer((report) => observers.receive(report));
  const answer = { model: 'fashion', version: '2', id: 'r1' };
  t.equal(watch.tokenFor(answer), undefined);
  observers.open(aRollout(), NO_EVIDENCE);
  t.equal(watch.tokenFor(answer), 'fashion/2/r1');
  observers.close(aRollout({ id: 'another' }));
  t.ok(watch.tokenFor(answer), 'another rollout that ends changes nothing');
  observers.close(aRollout());
  t.equal(watch.tokenFor(answer), undefined);
});

t.test(
  'a pair that cannot be compared counts as failed, and its label joins nothing',
  async (t) => {
    const { observers, events, errors } = aDecider();
    observers.open(aRollout(), NO_EVIDENCE);
    observers.receive({ kind: 'drawn', target, requestId: 'r1' });
    const pair = aPair('r1', { stable: 1, candidate: 1 });
    const broken = { ...pair, stable: { ...pair.stable, outputs: undefined } } as never;
    observers.receive({ kind: 'paired', target, pair: broken, load: 2 });
    t.same(events, [{ kind: 'failed', load: 2 }]);
    t.same(errors, ['report paired']);
    t.equal(observers.label('fashion/2/r1', 'coat', BY_ADMIN), 'notComparable');
    t.equal(observers.evidence(aRollout().id).mirror.failed, 1);
  },
);

t.test('reports on a version that is not on trial change no evidence', async (t) => {
  const { observers, events } = aDecider();
  observers.open(aRollout(), NO_EVIDENCE);
  const former = { ...target, version: '7' };
  const pair = aPair('r1', { stable: 1, candidate: 2 });
  observers.receive({ kind: 'paired', target: former, pair, load: 1 });
  observers.receive({ kind: 'unmirrored', target: former, event: { kind: 'notSampled' } });
  t.equal(observers.evidence(aRollout().id).mirror.eligible, 0);
  t.equal(events.length, 2, 'they are counted in the metrics all the same');
  t.same(observers.evidence('unknown'), NO_EVIDENCE);
});

t.test(
  'what an aborted rollout drew does not count for the next one of its candidate',
  async (t) => {
    const { observers, events } = aDecider((order) => {
      if (order.kind === 'rollout') watch.obey(order);
    });
    const { watch, shadow } = aServer((report) => observers.receive(report));
    const draw = (id: string) => watch.taps.map((tap) => tap(aRequest(id), anAssignment()));
    const [aborted, next] = [aRollout(), aRollout({ id: 'fashion-2-2' })];
    observers.open(aborted, NO_EVIDENCE);
    const live = draw('still live');
    for (const end of draw('still mirrored')) end?.(answered());
    await settle();
    observers.close(aborted);
    observers.open(next, NO_EVIDENCE);
    for (const run of shadow.runs.splice(0)) run.answer();
    for (const end of live) end?.(answered());
    await settle();
    for (const run of shadow.runs.splice(0)) run.answer();
    await settle();
    t.equal(events.length, 2, 'both are in the metrics');
    t.equal(observers.evidence(next.id).mirror.eligible, 0);
    for (const end of draw('of the next')) end?.(answered());
    await settle();
    for (const run of shadow.runs.splice(0)) run.answer();
    await settle();
    t.match(observers.evidence(next.id).mirror, { eligible: 1, compared: 1 });
  },
);

t.test('who may label, and how much, is as the model declares it', async (t) => {
  const { observers: closed } = aDecider(undefined, { from: 'admin' });
  closed.open(aRollout(), NO_EVIDENCE);
  closed.receive({ kind: 'drawn', target, requestId: 'r1' });
  const label = () => closed.label('fashion/1/r1', 'coat', aClientAt('10.0.0.1'));
  t.throws(label, { code: 'forbidden', message: /api.v1.models.fashion.labels/ });
  t.equal(closed.label('fashion/1/r1', 'coat', BY_ADMIN), 'waiting', 'the admin API may');

  const { observers } = aDecider(undefined, { callers: { perSecondMax: 9, labelsMax: 1 } });
  observers.open(aRollout(), NO_EVIDENCE);
  for (const requestId of ['r1', 'r2']) observers.receive({ kind: 'drawn', target, requestId });
  t.equal(observers.label('fashion/1/r1', 'coat', aClientAt('10.0.0.1')), 'waiting');
  t.throws(() => observers.label('fashion/1/r2', 'coat', aClientAt('10.0.0.1')), {
    code: 'forbidden',
  });
  t.equal(
    observers.label('fashion/1/r2', 'coat', aClientAt('10.0.0.2')),
    'waiting',
    'another caller',
  );
});

t.test('a caller that may only label is bounded on the admin port too', async (t) => {
  const { observers } = aDecider(undefined, { callers: { perSecondMax: 9, labelsMax: 1 } });
  observers.open(aRollout(), NO_EVIDENCE);
  for (const requestId of ['r1', 'r2']) observers.receive({ kind: 'drawn', target, requestId });
  const by = (role: Role): LabelSource => {
    const caller: Caller = { name: `key:${role}`, grants: [{ role, models: ['fashion'] }] };
    const may: Asker['may'] = (needed, model) => hasRole(caller, needed, model);
    return { ...BY_ADMIN, asker: { ...ANY_ASKER, caller, may } };
  };
  t.equal(observers.label('fashion/1/r1', 'coat', by('label')), 'waiting');
  const second = () => observers.label('fashion/1/r2', 'coat', by('label'));
  t.throws(second, { code: 'forbidden', message: /labels.callerMax/ });
  t.equal(observers.label('fashion/1/r1', 'coat', by('operate')), 'duplicate');
  t.equal(observers.label('fashion/1/r2', 'coat', by('operate')), 'waiting', 'an operator');
});

t.test('what waits for labels when the time is up is there when it is extended', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'extended-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const rollout = aRollout({
    spec: aSpec({ rules: 2, labels: { windowMs: 60_000, selection: 'random' } }),
  });
  const phase = { kind: 'rolledBack', atMs: 1, why: 'time', decidedBy: ['maxDuration'] } as const;
  const outOfTime = { ...rollout, phase };
  const drawn = (observers: RolloutObservers, requestId: string): void => {
    observers.receive({ kind: 'drawn', target, requestId });
    const pair = aPair(requestId, { stable: 1, candidate: 1 });
    observers.receive({ kind: 'paired', target, pair, load: 1 });
  };
  const process = (clock: HandClock) => {
    const labelFolder = new LabelFolder({ folder, clock, onError: (error) => t.fail(`${error}`) });
    return aDecider(undefined, { from: 'any' }, { labelFolder, clock }).observers;
  };
  const clock = new HandClock();
  const label = (observers: RolloutObservers, id: string) =>
    observers.label(`fashion/1/${id}`, 'coat', BY_ADMIN);
  const before = process(clock);
  before.open(rollout, NO_EVIDENCE);
  for (const id of ['r1', 'r2', 'r3']) drawn(before, id);
  const evidence = before.evidence(rollout.id);
  t.equal(evidence.labelling?.waiting, 3);
  before.close(outOfTime);
  t.equal(label(before, 'r1'), 'joined', 'a label that comes when the time is over');
  await before.stop();

  const after = process(clock);
  after.open(outOfTime, evidence);
  // While the store is read a label waits.
  await until('the store is read', () => label(after, 'r2') === 'duplicate');
  t.equal(label(after, 'r1'), 'duplicate', 'the label of before the restart is there');
  t.same(after.evidence(rollout.id), NO_EVIDENCE, 'it has ended');
  after.open(rollout, evidence);
  clock.advance(60_001);
  const { labelling } = after.evidence(rollout.id);
  t.match(labelling, { waiting: 0, labelled: 2 });
  t.same(labelling?.coverage['']?.agreeing, { units: 3, labelled: 2 });
  after.close({ ...rollout, phase: { kind: 'aborted', atMs: 2, why: 'a reason' } });
  t.equal(label(after, 'r3'), 'unknown');
});

t.test('what may be extended is given up when another rollout begins', async (t) => {
  const { observers } = aDecider();
  const rollout = aRollout({ spec: aSpec({ rules: 2 }) });
  const phase = { kind: 'rolledBack', atMs: 1, why: 'time', decidedBy: ['maxDuration'] } as const;
  observers.open(rollout, NO_EVIDENCE);
  observers.receive({ kind: 'drawn', target, requestId: 'r1' });
  observers.close({ ...rollout, phase });
  observers.open({ ...rollout, id: 'fashion-2-2' }, NO_EVIDENCE);
  t.equal(observers.label('fashion/1/r1', 'coat', BY_ADMIN), 'notSampled');
});
