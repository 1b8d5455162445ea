import t from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { ServeError } from '../../src/core/errors.ts';
import type { InferResponse } from '../../src/core/infer.ts';
import type { Outcome, Tap } from '../../src/core/outcome.ts';
import type { ServingHost } from '../../src/gateway/gateway.ts';
import { LearnedP99 } from '../../src/gateway/learned-quantile.ts';
import {
  armBudgetMs,
  PROBE_EVERY_MS,
  TIMEOUTS_MAX,
  TrialArm,
} from '../../src/gateway/trial-arm.ts';
import { aHost } from '../support/a-host.ts';
import { aFakeSource } from '../support/a-source.ts';
import { anInferRequest } from '../support/an-infer-request.ts';
import { aGateway, aRequest, aRoute, aVersion, echoHost, NEVER_ABORTED } from './builders.ts';

/** Nearly all of the traffic in one arm on trial; control is version 1 again, in a process of its own. */
function allIn(arm: 'candidate' | 'control') {
  const version = { candidate: '2', control: '1' };
  const rest = arm === 'candidate' ? 'control' : 'candidate';
  return aRoute({
    shares: [
      { arm, version: version[arm], weightBp: 9_999 },
      { arm: rest, version: version[rest], weightBp: 1 },
    ],
  });
}

/** Never answers, and counts who asked. */
function hangingHost() {
  const asked = { count: 0 };
  const infer = (): Promise<InferResponse> => {
    asked.count += 1;
    return new Promise(() => undefined);
  };
  return { asked, host: { ...echoHost('2'), infer } satisfies ServingHost };
}

function recordingTap() {
  const outcomes: Outcome[] = [];
  const tap: Tap = () => (outcome) => outcomes.push(outcome);
  return { outcomes, tap };
}

const VERSIONS = [aVersion('1'), aVersion('2')];

function within(ms: number) {
  return aRequest({ deadlineMs: systemClock.monotonicMs() + ms });
}

t.test('a candidate that hangs fails no live request, and each counts against it', async (t) => {
  const { asked, host } = hangingHost();
  const { outcomes, tap } = recordingTap();
  const hosts = { '1': echoHost('1'), '2': host };
  const onTrial = aGateway({
    routes: [allIn('candidate')],
    hosts,
    versions: VERSIONS,
    taps: [tap],
  });
  const control = aGateway({ hosts: { '1': echoHost('1') } });
  const all = (gateway: typeof control, count: number) =>
    Promise.all(Array.from({ length: count }, () => gateway.infer(within(1_600), NEVER_ABORTED)));
  for (const gateway of [control, onTrial]) {
    const answers = [...(await all(gateway, 8)), ...(await all(gateway, 8))];
    t.same(new Set(answers.map(({ version }) => version)), new Set(['1']));
  }
  t.equal(asked.count, 8, 'after five time-outs in a row it is not asked again immediately');
  t.equal(outcomes.length, 16);
  t.ok(outcomes.every(({ kind }) => kind === 'failure'));
  const paused = outcomes.filter(
    (one) => one.kind === 'failure' && one.pausedUntilMs !== undefined,
  );
  t.equal(paused.length, 8, 'the second half is one event with a known end');
});

t.test('real hosts: a share of requests hangs the candidate, none fails', async (t) => {
  const { host: stable } = await aHost(t);
  const source = aFakeSource('hangOn=7&hangMs=3000');
  const { host: candidate } = await aHost(t, { tier: 'process', source });
  const gateway = aGateway({
    routes: [allIn('candidate')],
    hosts: { '1': stable, '2': candidate },
    versions: VERSIONS,
  });
  const control = aGateway({ hosts: { '1': stable } });
  for (const one of [control, gateway]) {
    const ended = await Promise.allSettled(
      Array.from({ length: 24 }, (_, index) => {
        const first = index % 6 === 0 ? 7 : 1;
        return one.infer(anInferRequest([first, 2, 3, 4], { withinMs: 2_000 }), NEVER_ABORTED);
      }),
    );
    t.same(
      ended.filter(({ status }) => status === 'rejected'),
      [],
    );
  }
});

t.test('control that hangs is treated as the candidate is', async (t) => {
  const { host } = hangingHost();
  const stable = echoHost('1');
  const { outcomes, tap } = recordingTap();
  const gateway = aGateway({
    routes: [allIn('control')],
    find: ({ version }, arm) => (version === '1' && arm === 'stable' ? stable : host),
    versions: VERSIONS,
    taps: [tap],
  });
  t.equal((await gateway.infer(within(800), NEVER_ABORTED)).version, '1');
  t.match(outcomes, [{ kind: 'failure', code: 'deadline_exceeded' }]);
});

t.test('in a sequence no other version answers, and the whole deadline is its own', async (t) => {
  const { host } = hangingHost();
  const hosts = { '1': echoHost('1'), '2': host };
  const gateway = aGateway({ routes: [allIn('candidate')], hosts, versions: VERSIONS });
  const request = { ...within(50), inSequence: true };
  await t.rejects(gateway.infer(request, NEVER_ABORTED), { code: 'deadline_exceeded' });
});

t.test(
  'an arm that holds as many as it may, or refuses more, costs no client an answer',
  async (t) => {
    const { host } = hangingHost();
    const full: ServingHost = {
      ...echoHost('2'),
      infer: () => Promise.reject(new ServeError('overloaded', 'the queue is full')),
    };
    for (const [candidate, expected] of [
      [host, ['overloaded', 'deadline_exceeded']],
      [full, ['overloaded', 'overloaded']],
    ] as const) {
      const { outcomes, tap } = recordingTap();
      const gateway = aGateway({
        routes: [allIn('candidate')],
        hosts: { '1': echoHost('1'), '2': candidate },
        versions: VERSIONS,
        taps: [tap],
        limits: { inFlightMax: 10, armInFlightMax: 1, rowsMax: () => 8 },
      });
      const both = [within(800), within(800)].map((one) => gateway.infer(one, NEVER_ABORTED));
      t.same(
        (await Promise.all(both)).map(({ version }) => version),
        ['1', '1'],
      );
      t.same(
        outcomes.map((one) => one.kind === 'failure' && one.code),
        expected,
      );
    }
  },
);

t.test(
  "an arm that answers in another form than stable's has failed, in a sequence too",
  async (t) => {
    const stable = { ...echoHost('1'), joining: () => ({ kind: 'probed' }) as const };
    const twice: ServingHost = {
      ...echoHost('2'),
      infer: async (request, signal) => {
        const answer = await echoHost('2').infer(request, signal);
        const outputs = answer.outputs.map(({ shape: [rows = 0, ...rest], data, ...output }) => ({
          ...output,
          shape: [2 * rows, ...rest],
          data: Buffer.concat([data, data]),
        }));
        return { ...answer, outputs };
      },
    };
    for (const arm of ['candidate', 'control'] as const) {
      const { outcomes, tap } = recordingTap();
      const gateway = aGateway({
        routes: [allIn(arm)],
        find: (_, role) => (role === 'stable' ? stable : twice),
        versions: VERSIONS,
        taps: [tap],
      });
      const answer = await gateway.infer(within(2_000), NEVER_ABORTED);
      t.same(answer.outputs[0]?.shape, aRequest().inputs[0]?.shape);
      t.equal(answer.version, '1');
      const inSequence = { ...within(2_000), inSequence: true };
      await t.rejects(gateway.infer(inSequence, NEVER_ABORTED), { code: 'runtime_failed' });
      const failure = { kind: 'failure', code: 'runtime_failed', message: /rows as requested/ };
      t.match(outcomes, [failure, failure]);
    }
  },
);

t.test("what stable's own answers do not keep to is asked of no arm", async (t) => {
  const wrong = {
    inputs: [],
    outputs: [{ name: 'y', dtype: 'FP32', shape: [-1, 99, 99] }],
  } as const;
  const declared: ServingHost = { ...echoHost('1'), signature: wrong };
  const kept: ServingHost = { ...declared, form: () => ({ inputs: [], outputs: [] }) };
  for (const [stable, version] of [
    [declared, '1'],
    [kept, '2'],
  ] as const) {
    const gateway = aGateway({
      routes: [allIn('candidate')],
      hosts: { '1': stable, '2': echoHost('2') },
      versions: VERSIONS,
    });
    t.equal((await gateway.infer(within(2_000), NEVER_ABORTED)).version, version);
  }
});

t.test(
  'a request that no version could answer counts against no arm, not even one that is away',
  async (t) => {
    const { outcomes, tap } = recordingTap();
    const refused: unknown[] = [];
    const gateway = aGateway({
      routes: [allIn('candidate')],
      hosts: { '1': echoHost('1') },
      versions: VERSIONS,
      taps: [tap],
      onRefused: (_, code) => refused.push(code),
    });
    const [input] = aRequest().inputs;
    if (input === undefined) throw new Error('expected an input');
    const wrong = { ...within(2_000), inputs: [{ ...input, data: input.data.subarray(1) }] };
    await t.rejects(gateway.infer(wrong, NEVER_ABORTED), { code: 'invalid_input' });
    t.same([refused, outcomes], [['invalid_input'], []]);
    t.equal((await gateway.infer(within(2_000), NEVER_ABORTED)).version, '1');
    t.match(outcomes, [{ kind: 'failure', code: 'version_not_ready' }]);
  },
);

t.test(
  'a request that stable answers later than an arm may is reported to the comparison',
  async (t) => {
    const { outcomes, tap } = recordingTap();
    const slow: ServingHost = {
      ...echoHost('1'),
      infer: async (request, signal) => {
        await new Promise((resolve) => setTimeout(resolve, 1_800));
        return echoHost('1').infer(request, signal);
      },
    };
    const route = aRoute({
      shares: [
        { arm: 'candidate', version: '2', weightBp: 1 },
        { arm: 'stable', version: '1', weightBp: 9_999 },
      ],
    });
    const hosts = { '1': slow, '2': echoHost('2') };
    const gateway = aGateway({ routes: [route], hosts, versions: VERSIONS, taps: [tap] });
    const request = within(2_300);
    t.equal((await gateway.infer(request, NEVER_ABORTED)).version, '1');
    const [outcome] = outcomes;
    if (outcome?.kind !== 'answer') throw new Error('expected an answer');
    t.ok(outcome.armEndedMs !== undefined && outcome.armEndedMs < outcome.endedMs);
  },
);

t.test('an arm leaves stable a quarter of the time or twice its p99, and keeps half', async (t) => {
  t.equal(armBudgetMs(1_000, undefined), 750);
  t.equal(armBudgetMs(1_000, 100), 750);
  t.equal(armBudgetMs(1_000, 200), 600);
  t.equal(armBudgetMs(1_000, 900), 500);
});

t.test('a paused arm is asked by one probe at a time, and an answer opens it again', async (t) => {
  const arm = new TrialArm('candidate', 10);
  for (let i = 0; i < TIMEOUTS_MAX; i += 1) arm.leave(arm.enter(100, 0), 'timeout', 100);
  t.ok(arm.isPaused());
  t.throws(() => arm.enter(100, 101), { code: 'version_not_ready', untilMs: 100 + PROBE_EVERY_MS });
  const probe = arm.enter(100, 100 + PROBE_EVERY_MS);
  t.throws(() => arm.enter(100, 101 + PROBE_EVERY_MS), { code: 'version_not_ready' });
  arm.leave(probe, 'timeout', 200 + PROBE_EVERY_MS);
  t.throws(() => arm.enter(100, 300 + PROBE_EVERY_MS), { code: 'version_not_ready' });
  arm.leave(arm.enter(100, 200 + 2 * PROBE_EVERY_MS), 'answer', 201 + 2 * PROBE_EVERY_MS);
  t.notOk(arm.isPaused());
  t.equal(arm.enter(100, 202 + 2 * PROBE_EVERY_MS).isProbe, false);
});

t.test('callers in too much of a hurry for stable itself pause no arm', async (t) => {
  const { asked, host } = hangingHost();
  const slow: ServingHost = {
    ...echoHost('1'),
    infer: async (request, signal) => {
      await new Promise((resolve) => setTimeout(resolve, 40));
      return echoHost('1').infer(request, signal);
    },
  };
  const gateway = aGateway({
    routes: [allIn('candidate'), aRoute({ model: 'n' })],
    hosts: { '1': slow, '2': host },
    versions: VERSIONS,
  });
  const lots = (count: number, make: () => ReturnType<typeof within>) =>
    Promise.allSettled(Array.from({ length: count }, () => gateway.infer(make(), NEVER_ABORTED)));
  await lots(30, () => aRequest({ version: '1' }));
  await lots(TIMEOUTS_MAX + 3, () => within(20));
  const before = asked.count;
  await lots(1, () => within(20));
  t.equal(asked.count, before + 1, 'the arm is still asked');
});

t.test('the learned p99 rests where one sample in a hundred lies above', async (t) => {
  const p99 = new LearnedP99();
  let seed = 7;
  const next = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  t.equal(p99.ms, undefined);
  for (let i = 0; i < 20_000; i += 1) p99.add(next() * 100);
  t.ok((p99.ms ?? 0) > 85 && (p99.ms ?? 0) < 125, `${p99.ms}`);
  for (let i = 0; i < 2_000; i += 1) p99.add(1_000);
  t.ok((p99.ms ?? 0) >= 990, 'it follows a change');
});
