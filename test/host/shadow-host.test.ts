import t, { type Test } from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import {
  type ShadowHost,
  type ShadowHostOptions,
  type ShadowResult,
  startShadowHost,
} from '../../src/host/shadow-host.ts';
import { A_BIRTH, aHostLog } from '../support/a-host.ts';
import { aFakeSource } from '../support/a-source.ts';
import { valuesOf } from '../support/a-tensor.ts';
import { anInferRequest } from '../support/an-infer-request.ts';
import { until } from '../support/until.ts';

const JOINED = { joining: { kind: 'declared', doubt: undefined }, probe: false } as const;

async function aShadowHost(t: Test, given: Partial<ShadowHostOptions> = {}) {
  const { log, listeners } = aHostLog();
  const shadow = await startShadowHost({
    candidate: aFakeSource('scale=2', { version: '2' }),
    twin: aFakeSource('scale=3', { version: '1' }),
    joinings: { candidate: JOINED, twin: JOINED },
    birth: { ...A_BIRTH, nice: 10 },
    queue: { requestsMax: 16, bytesMax: 100_000 },
    batchRowsMax: 8,
    runMsMax: 10_000,
    loadMsMax: 60_000,
    clock: systemClock,
    listeners,
    ...given,
  });
  t.teardown(() => shadow.close());
  return { shadow, log };
}

const TWINNED = { twin: true, candidateFirst: true };
const ALONE = { twin: false, candidateFirst: true };

function run(shadow: ShadowHost, x: number, plan = TWINNED): Promise<ShadowResult> {
  return shadow.run(anInferRequest([x]), plan);
}

function outputOf(result: ShadowResult, side: 'candidate' | 'twin'): number[] {
  const run = result[side];
  return run?.kind === 'answer' ? valuesOf(run.outputs[0]) : [];
}

t.test('candidate and twin both answer, in either order', async (t) => {
  const { shadow, log } = await aShadowHost(t);
  const results = await Promise.all([
    run(shadow, 1),
    run(shadow, 2, { twin: true, candidateFirst: false }),
    run(shadow, 3, ALONE),
    run(shadow, 4),
  ]);
  t.strictSame(
    results.map((result) => outputOf(result, 'candidate')),
    [[2], [4], [6], [8]],
  );
  t.strictSame(
    results.map((result) => outputOf(result, 'twin')),
    [[3], [6], [], [12]],
  );
  t.equal(results[2]?.twin, undefined);
  t.strictSame(log.batches.map(({ rows }) => rows).sort(), [1, 1, 2], 'plans are not mixed');
  t.equal(shadow.waiting(), 0);
});

t.test('what it gives is owned: nothing else lies in the same memory', async (t) => {
  const { shadow } = await aShadowHost(t);
  const { candidate } = await run(shadow, 1);
  if (candidate.kind !== 'answer') throw new Error(candidate.message);
  t.equal(candidate.outputs[0]?.data.buffer.byteLength, 4);
});

t.test('a candidate that fails is an observation next to the answer of the twin', async (t) => {
  const { shadow } = await aShadowHost(t, { candidate: aFakeSource('throwOn=7') });
  const [bad, good] = await Promise.all([run(shadow, 7), run(shadow, 1)]);
  t.match(bad?.candidate, { kind: 'failure', code: 'runtime_failed' });
  t.strictSame(outputOf(bad, 'twin'), [21]);
  t.strictSame(outputOf(good, 'candidate'), [1]);
});

t.test('a crash loop of the candidate ends the shadow host', async (t) => {
  const { shadow, log } = await aShadowHost(t, { candidate: aFakeSource('killOn=7') });
  const endings: string[] = [];
  while (shadow.state().kind !== 'failed') {
    await run(shadow, 7).catch((error: { code: string }) => endings.push(error.code));
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.ok(endings.every((code) => code === 'host_lost'));
  t.equal(log.crashes.length, 3);
  t.strictSame(
    log.crashes.map(({ signal, isRestarting }) => [signal, isRestarting]),
    [
      ['SIGKILL', true],
      ['SIGKILL', true],
      ['SIGKILL', false],
    ],
  );
  t.equal(log.crashLoops.length, 1);
  await t.rejects(run(shadow, 1), { code: 'host_lost' });
});

t.test('a run that hangs says whether it was the candidate or the twin that hung', async (t) => {
  const hanging = aFakeSource('hangOn=7');
  for (const [sources, source] of [
    [{ candidate: hanging }, 0],
    [{ twin: hanging }, 1],
  ] as const) {
    const { shadow, log } = await aShadowHost(t, { ...sources, runMsMax: 200 });
    for (const [times, candidateFirst] of [true, false].entries()) {
      const hung = run(shadow, 7, { twin: true, candidateFirst }).catch((error) => error);
      t.match(await hung, { name: 'ServeError', code: 'runtime_failed', source });
      await until('a restart', () => log.crashes.length > times && shadow.state().kind === 'ready');
    }
  }
});

t.test('the queue drops first, and no request waits beyond the deadline', async (t) => {
  const queue = { requestsMax: 2, bytesMax: 100_000 };
  const candidate = aFakeSource('blockMs=300&batchable=0');
  const { shadow } = await aShadowHost(t, { queue, candidate });
  const running = run(shadow, 1, ALONE);
  const asked = [2, 3, 4, 5, 6].map((x) =>
    shadow.run(anInferRequest([x], { withinMs: 60 }), ALONE).then(
      () => 'answer',
      (error: { code: string }) => error.code,
    ),
  );
  const codes = new Set(await Promise.all(asked));
  t.ok(codes.has('overloaded') && codes.has('deadline_exceeded'));
  t.strictSame(outputOf(await running, 'candidate'), [1]);
});

t.test(
  'a close gives up what waits: it lets the run that has begun end, and no other begin',
  async (t) => {
    const candidate = aFakeSource('blockMs=300&batchable=0');
    const { shadow, log } = await aShadowHost(t, { candidate });
    const running = run(shadow, 0, ALONE);
    await until('one is over', () => log.batches.length === 1);
    const waiting = [1, 2, 3, 4, 5, 6].map((x) => run(shadow, x, ALONE).catch((error) => error));
    await running;
    await shadow.close();
    for (const error of await Promise.all(waiting))
      t.match(error, { code: 'host_lost', cause: { code: 'version_not_ready' } });
    t.ok(log.batches.length <= 2, `${log.batches.length} of 7 ran`);
    t.equal(shadow.waiting(), 0);
  },
);

t.test('a shadow host that cannot load names the version and the reason', async (t) => {
  const candidate = aFakeSource('failLoad=bad+weights', { version: '2' });
  await t.rejects(aShadowHost(t, { candidate }), {
    code: 'version_not_ready',
    message: 'the shadow host: m version 2: bad weights',
  });
});
