import t from 'tap';
import type { Outcome, Tap } from '../../src/core/outcome.ts';
import type { Signature } from '../../src/core/tensor.ts';
import {
  aGateway,
  aRequest,
  aRoute,
  aTensor,
  aVersion,
  echoHost,
  NEVER_ABORTED,
  PAIRS,
} from './builders.ts';

/** Takes three numbers a row where PAIRS takes two. */
const THREES: Signature = {
  inputs: [{ name: 'x', dtype: 'FP32', shape: [-1, 3] }],
  outputs: PAIRS.outputs,
};
const VERSIONS = [aVersion('1'), aVersion('2')];

/** All but a sliver of the traffic for one of the two, so that any unit lands there. */
const mostly = (arm: 'candidate' | 'stable') =>
  aRoute({
    shares: [
      { arm, version: arm === 'stable' ? '1' : '2', weightBp: 9_999 },
      arm === 'stable'
        ? { arm: 'candidate', version: '2', weightBp: 1 }
        : { arm: 'stable', version: '1', weightBp: 1 },
    ],
  });

function watched() {
  const seen: Outcome[] = [];
  const tap: Tap = () => (outcome) => seen.push(outcome);
  return { seen, tap };
}

t.test(
  'what the candidate refuses and stable takes counts against it, and stable answers',
  async (t) => {
    const { seen, tap } = watched();
    const hosts = { '1': echoHost('1'), '2': echoHost('2', THREES) };
    const gateway = aGateway({
      routes: [mostly('candidate')],
      hosts,
      versions: VERSIONS,
      taps: [tap],
    });
    t.equal((await gateway.infer(aRequest(), NEVER_ABORTED)).version, '1');
    t.match(seen, [{ kind: 'failure', code: 'invalid_input', message: /Expected \[-1,3\]/ }]);
  },
);

t.test('it does so beside a control alone, where no share is stable', async (t) => {
  const { seen, tap } = watched();
  const shares = [
    { arm: 'candidate', version: '2', weightBp: 9_999 },
    { arm: 'control', version: '1', weightBp: 1 },
  ] as const;
  const hosts = { '1': echoHost('1'), '2': echoHost('2', THREES) };
  const routes = [aRoute({ shares })];
  const gateway = aGateway({ routes, hosts, versions: VERSIONS, taps: [tap] });
  t.equal((await gateway.infer(aRequest(), NEVER_ABORTED)).version, '1');
  t.match(seen, [{ kind: 'failure', code: 'invalid_input' }]);
});

t.test('what control refuses is not run on stable, which is the same version', async (t) => {
  const { seen, tap } = watched();
  const shares = [
    { arm: 'candidate', version: '2', weightBp: 1 },
    { arm: 'control', version: '1', weightBp: 9_999 },
  ] as const;
  const hosts = { '1': echoHost('1', THREES), '2': echoHost('2') };
  const routes = [aRoute({ shares })];
  const gateway = aGateway({ routes, hosts, versions: VERSIONS, taps: [tap] });
  await t.rejects(gateway.infer(aRequest(), NEVER_ABORTED), { code: 'invalid_input' });
  t.match(seen, [{ kind: 'failure', code: 'invalid_input' }]);
});

t.test('what stable refuses and the candidate takes counts against stable', async (t) => {
  const { seen, tap } = watched();
  const hosts = { '1': echoHost('1', THREES), '2': echoHost('2') };
  const gateway = aGateway({ routes: [mostly('stable')], hosts, versions: VERSIONS, taps: [tap] });
  await t.rejects(gateway.infer(aRequest(), NEVER_ABORTED), { code: 'invalid_input' });
  t.match(seen, [{ kind: 'failure', code: 'invalid_input' }]);
});

// A caller that sends what no version takes must neither hide nor feign an arm's failures.
t.test('what neither takes counts for none, in either arm', async (t) => {
  for (const arm of ['candidate', 'stable'] as const) {
    const { seen, tap } = watched();
    const refused: string[] = [];
    const gateway = aGateway({
      routes: [mostly(arm)],
      hosts: { '1': echoHost('1'), '2': echoHost('2', THREES) },
      versions: VERSIONS,
      taps: [tap],
      onRefused: (_, code) => refused.push(code),
    });
    const garbage = aRequest({ inputs: [aTensor({ dtype: 'INT32' })] });
    await t.rejects(gateway.infer(garbage, NEVER_ABORTED), { code: 'invalid_input' });
    t.strictSame([seen, refused], [[], ['invalid_input']]);
  }
});

t.test('answers are looked through where a rollout compares them, and only there', async (t) => {
  const mirror = { version: '2', sampleBp: 10_000, twinBp: 0 };
  const rule = { attribute: 'a', equals: 'b', version: '2' };
  const routes = [
    [aRoute(), false],
    [aRoute({ mirror }), true],
    [mostly('candidate'), true],
    [mostly('stable'), true],
    [aRoute({ mirror, rules: [rule] }), false],
  ] as const;
  for (const [route, expected] of routes) {
    const asked: unknown[] = [];
    const host = echoHost('1');
    const recording = {
      ...host,
      infer: (...of: Parameters<typeof host.infer>) => {
        asked.push(of[0].scan ?? false);
        return host.infer(...of);
      },
    };
    const hosts = { '1': recording, '2': recording };
    const gateway = aGateway({ routes: [route], hosts, versions: VERSIONS });
    await gateway.infer(aRequest({ attributes: { a: 'b' } }), NEVER_ABORTED);
    t.strictSame(asked, [expected]);
  }
});

t.test(
  'an output that stable gives and the candidate does not fails the candidate as missing',
  async (t) => {
    const { seen, tap } = watched();
    const candidate = echoHost('2');
    const infer: typeof candidate.infer = async (...of) => ({
      ...(await candidate.infer(...of)),
      outputs: [],
    });
    const hosts = { '1': echoHost('1'), '2': { ...candidate, infer } };
    const gateway = aGateway({
      routes: [mostly('candidate')],
      hosts,
      versions: VERSIONS,
      taps: [tap],
    });
    t.equal((await gateway.infer(aRequest(), NEVER_ABORTED)).version, '1');
    t.match(seen, [{ kind: 'failure', code: 'runtime_failed', failureKind: 'missing' }]);
  },
);
