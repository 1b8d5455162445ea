import fc from 'fast-check';
import t from 'tap';
import { ServeError } from '../../src/core/errors.ts';
import { fuzzRuns } from '../support/fuzz-runs.ts';
import { until } from '../support/until.ts';
import { ALL, anAssignment, answered, aRequest, aStage, failed, settle } from './builders.ts';
import { History, histories } from './history.ts';

t.test('a mirrored request becomes a pair of the live and the candidate answer', async (t) => {
  const stage = aStage();
  stage.send('r1');
  t.equal(stage.shadow.runs.length, 0, 'nothing runs in the turn of the live request');
  await settle();
  t.equal(stage.shadow.runs[0]?.request.deadlineMs, 1_100);
  stage.shadow.runs[0]?.answer();
  await settle();
  t.match(stage.pairs, [{ requestId: 'r1', unit: 'r1', attributes: { tone: 'dark' } }]);
  t.match(stage.pairs[0], { stable: { kind: 'answer', computeMs: 3 }, twin: undefined });
  t.same(stage.events, [{ kind: 'compared', load: 1 }]);
  t.same(stage.expected, ['r1']);
  t.same(stage.abandoned, []);
});

t.test('only what the split sent to stable or control is eligible', async (t) => {
  const { mirror } = aStage();
  const tapped = (over: Parameters<typeof anAssignment>[0]): boolean =>
    mirror.tap(aRequest(), anAssignment(over)) !== undefined;
  t.ok(tapped({ arm: 'control' }));
  t.notOk(tapped({ arm: 'candidate' }));
  t.notOk(tapped({ arm: 'other' }));
  t.notOk(tapped({ by: 'pin' }));
  t.notOk(tapped({ by: 'rule' }));
  t.equal(aStage({ setting: () => undefined }).mirror.tap(aRequest(), anAssignment()), undefined);
});

t.test('the coin is fair for one unit as for many, and so are twin and order', async (t) => {
  const setting = () => ({ version: '2', sampleBp: 2_000, twinBp: 5_000 });
  const stage = aStage({ setting, limits: { queueRequestsMax: 9_000, queueBytesMax: 1e9 } });
  const n = 5_000;
  for (let i = 0; i < n; i += 1) {
    stage.mirror.tap(aRequest('same', { unit: 'one' }), anAssignment())?.(answered());
  }
  const near = (count: number, of: number, p: number): boolean =>
    Math.abs(count - of * p) < 4 * Math.sqrt(of * p * (1 - p));
  t.ok(near(stage.expected.length, n, 0.2), `${stage.expected.length} of ${n}`);
  const plans = [];
  while (plans.length < stage.expected.length) {
    await settle();
    for (const run of stage.shadow.runs.splice(0)) {
      plans.push(run.plan);
      run.answer();
    }
  }
  await settle();
  t.ok(near(plans.filter(({ twin }) => twin).length, plans.length, 0.5));
  t.ok(near(plans.filter(({ candidateFirst }) => candidateFirst).length, plans.length, 0.5));
  t.equal(stage.pairs.filter(({ twin }) => twin).length, plans.filter(({ twin }) => twin).length);
  t.equal(stage.events.length, n);
});

t.test('what does not fit is dropped before its outcome is known, and says why', async (t) => {
  const reasonOf = (options: Parameters<typeof aStage>[0], sent: number): unknown => {
    const stage = aStage(options);
    for (let i = 0; i < sent; i += 1) stage.send(`r${i}`);
    return stage.events;
  };
  const dropped = (reason: string, load = 1) => [{ kind: 'dropped', reason, load }];
  t.same(reasonOf({ limits: { queueRequestsMax: 1 } }, 2), dropped('queueFull'));
  t.same(reasonOf({ limits: { queueBytesMax: 23 } }, 2), dropped('bytesFull'));
  const busy = { limits: { liveInFlightMax: 8 }, liveInFlight: () => 9 };
  t.same(reasonOf(busy, 1), dropped('brownout', 9));
});

t.test('requests that come within the time of gathering have their turn together', async (t) => {
  const stage = aStage({ limits: { gatherMs: 100 } });
  stage.send('r1');
  await settle();
  t.equal(stage.shadow.runs.length, 0, 'the first waits for a fuller batch');
  stage.send('r2');
  const begun = await until('their turn', () => stage.shadow.runs.length || undefined);
  t.equal(begun, 2);
});

t.test('a request that waits past its deadline is dropped as expired', async (t) => {
  const stage = aStage({ limits: { concurrency: 1 } });
  stage.send('r1');
  stage.send('r2');
  await settle();
  stage.clock.advance(100);
  stage.shadow.runs[0]?.answer();
  await settle();
  t.equal(stage.shadow.runs.length, 1);
  t.same(stage.events[1], { kind: 'dropped', reason: 'expired', load: 1 });
  t.same(stage.abandoned, ['r2']);
});

t.test('no more than the limit run in the shadow host at one time', async (t) => {
  const stage = aStage();
  for (const id of ['r1', 'r2', 'r3']) stage.send(id);
  await settle();
  t.equal(stage.shadow.runs.length, 2);
  stage.shadow.runs[0]?.answer();
  await settle();
  t.equal(stage.shadow.runs.length, 3);
});

t.test(
  "the caller's faults are not eligible, the server's overload is no failure of stable",
  async (t) => {
    const stage = aStage({ limits: { queueRequestsMax: 1 } });
    for (let i = 0; i < 3; i += 1) stage.send(`r${i}`, failed('invalid_input'));
    t.same(stage.events, []);
    stage.send('r4', failed('overloaded'));
    t.same(stage.events, [{ kind: 'dropped', reason: 'liveUnanswered', load: 1 }]);
    stage.send('r5', failed('runtime_failed'));
    await settle();
    stage.shadow.runs[0]?.answer();
    await settle();
    t.match(stage.pairs, [{ stable: { kind: 'failure', code: 'runtime_failed' } }]);
  },
);

t.test('one crash counts once against the candidate, however many requests it takes', async (t) => {
  const stage = aStage({ limits: { concurrency: 3 } });
  for (const id of ['r1', 'r2', 'r3']) stage.send(id);
  await settle();
  for (const run of stage.shadow.runs.splice(0)) run.reject('host_lost');
  await settle();
  t.match(stage.pairs, [{ candidate: { kind: 'failure', code: 'host_lost' } }]);
  t.equal(stage.pairs.length, 1);
  t.same(stage.events.map(({ kind }) => kind).sort(), ['compared', 'failed', 'failed']);
  stage.send('r4');
  await settle();
  stage.shadow.runs[0]?.reject('host_lost');
  await settle();
  t.equal(stage.pairs.length, 2, 'the next crash counts again');
});

t.test('what the shadow host has may end after the deadline, and is a late pair', async (t) => {
  const stage = aStage();
  stage.send('r1');
  await settle();
  stage.clock.advance(101);
  stage.shadow.runs[0]?.answer();
  await settle();
  t.match(stage.pairs, [{ requestId: 'r1', isLate: true, budgetMs: 1_000 }]);
  stage.send('r2');
  await settle();
  stage.shadow.runs[1]?.answer();
  await settle();
  t.match(stage.pairs[1], { requestId: 'r2', isLate: false });
});

t.test('a run that hangs is one time-out of whose run it was, known beside a twin', async (t) => {
  const lapsesOf = async (twinBp: number, source: number) => {
    const setting = () => ({ ...ALL, twinBp });
    const stage = aStage({ setting, limits: { concurrency: 3 } });
    for (const id of ['r1', 'r2', 'r3']) stage.send(id);
    await settle();
    stage.shadow.runs[0]?.hang(source);
    for (const run of stage.shadow.runs.slice(1)) run.reject('host_lost');
    await settle();
    t.same(stage.pairs, [], 'what it took along is no pair');
    t.same(stage.events.map(({ kind }) => kind).sort(), ['failed', 'failed', 'timedOut']);
    return stage.lapses;
  };
  t.same(await lapsesOf(10_000, 0), [{ by: 'candidate', kind: 'hang' }]);
  t.same(await lapsesOf(10_000, 1), [{ by: 'twin', kind: 'hang' }]);
  t.same(await lapsesOf(0, 0), [{ by: 'unknown', kind: 'hang' }]);
});

t.test('what waits in vain behind a slower version is one time-out of that version', async (t) => {
  const lapsesOf = async (times: { candidateMs: number; twinMs: number }, twinBp = 10_000) => {
    const setting = () => ({ ...ALL, twinBp });
    const stage = aStage({ setting, limits: { concurrency: 1 } });
    for (const id of ['r1', 'r2', 'r3', 'r4']) stage.send(id);
    await settle();
    stage.clock.advance(101);
    stage.shadow.runs[0]?.answer(times);
    await settle();
    t.equal(stage.events.filter(({ kind }) => kind === 'dropped').length, 3);
    return stage.lapses;
  };
  t.same(await lapsesOf({ candidateMs: 90, twinMs: 10 }), [{ by: 'candidate', kind: 'timeout' }]);
  t.same(await lapsesOf({ candidateMs: 10, twinMs: 90 }), [{ by: 'twin', kind: 'timeout' }]);
  t.same(await lapsesOf({ candidateMs: 50, twinMs: 49 }), [], 'neither is to blame');
  t.same(await lapsesOf({ candidateMs: 1_001, twinMs: 9 }), [], 'that run was one by itself');
  t.same(await lapsesOf({ candidateMs: 90, twinMs: 10 }, 0), [], 'whose fault is not known');
});

t.test('a shadow host that is being restarted is no further crash', async (t) => {
  const stage = aStage();
  stage.send('r1');
  await settle();
  stage.shadow.runs[0]?.reject('host_lost', new ServeError('version_not_ready', 'restarting'));
  await settle();
  t.same(stage.pairs, []);
  t.same(stage.events, [{ kind: 'failed', load: 1 }]);
});

t.test(
  'a shadow host that is late, refuses or is not there is no verdict on the candidate',
  async (t) => {
    const kindAfter = async (code: Parameters<typeof failed>[0]): Promise<unknown> => {
      const stage = aStage();
      stage.send('r1');
      await settle();
      stage.shadow.runs[0]?.reject(code);
      await settle();
      t.same(stage.pairs, []);
      t.same(stage.abandoned, ['r1']);
      return stage.events[0]?.kind;
    };
    t.equal(await kindAfter('deadline_exceeded'), 'timedOut');
    t.equal(await kindAfter('overloaded'), 'failed');
    const without = aStage({ shadowHost: () => undefined });
    without.send('r1');
    await settle();
    t.equal(without.events[0]?.kind, 'failed');
  },
);

t.test('an error around the mirror is reported and reaches no client', async (t) => {
  const boom = (): never => {
    throw new Error('boom');
  };
  const read = aStage({ setting: boom });
  t.doesNotThrow(() => read.send('r1'));
  t.same(read.errors, ['mirror tap']);
  let isBroken = false;
  const tap = aStage({ setting: () => (isBroken ? boom() : ALL) });
  tap.send('r1');
  isBroken = true;
  tap.send('r2');
  t.same(
    tap.events.map(({ kind }) => kind),
    ['failed'],
    'what was not drawn was not compared',
  );
  const shadow = aStage({ shadowHost: boom });
  shadow.send('r1');
  await settle();
  t.same(shadow.errors, ['shadow host']);
  t.equal(shadow.events[0]?.kind, 'failed');
  const offer = aStage({ onPaired: boom });
  offer.send('r1');
  await settle();
  offer.shadow.runs[0]?.answer();
  await settle();
  t.same(offer.errors, ['offer pair']);
  t.same(offer.events, [{ kind: 'failed', load: 1 }]);
});

t.test('draining drops what waits, waits for what runs, and mirrors nothing more', async (t) => {
  const stage = aStage({ limits: { concurrency: 1 } });
  const held = stage.mirror.tap(aRequest('held'), anAssignment());
  stage.send('r1');
  stage.send('r2');
  await settle();
  let isDrained = false;
  const drained = stage.mirror.drain().then(() => {
    isDrained = true;
  });
  await settle();
  t.notOk(isDrained);
  stage.shadow.runs[0]?.answer();
  await drained;
  held?.(answered());
  stage.send('r3');
  await settle();
  t.equal(stage.shadow.runs.length, 1);
  t.same(stage.events.filter(({ kind }) => kind === 'dropped').length, 3);
  t.equal(stage.events.length, 4);
});

t.test('a run that hangs holds up no drain', async (t) => {
  const stage = aStage({ limits: { deadlineMs: 20 } });
  stage.send('r1');
  await settle();
  t.equal(stage.shadow.runs.length, 1);
  await stage.mirror.drain();
  t.same(stage.events, [], 'it still runs');
});

t.test(
  'a new candidate gets a queue of its own, and the former one lets go of what waits',
  async (t) => {
    let version = '2';
    const stage = aStage({ setting: () => ({ ...ALL, version }), limits: { concurrency: 1 } });
    stage.send('r1');
    stage.send('r2');
    await settle();
    version = '3';
    stage.send('r3');
    await settle();
    t.equal(stage.shadow.runs.length, 2);
    t.same(stage.events, [{ kind: 'dropped', reason: 'shuttingDown', load: 1 }]);
  },
);

t.test(
  'every eligible request is accounted for exactly once, for any order of events',
  async (t) => {
    const setting = () => ({ version: '2', sampleBp: 7_000, twinBp: 3_000 });
    await fc.assert(
      fc.asyncProperty(histories, fc.nat(1_000), async (steps, seed) => {
        const stage = aStage({ setting, seed });
        const history = new History(stage);
        await history.play(steps);
        const compared = stage.events.filter(({ kind }) => kind === 'compared').length;
        return (
          stage.events.length === history.eligible &&
          stage.pairs.length === compared &&
          stage.pairs.length === new Set(stage.pairs.map(({ requestId }) => requestId)).size &&
          stage.errors.length === 0
        );
      }),
      fuzzRuns(200),
    );
    t.pass();
  },
);
