import t, { type Test } from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { type Lane, type LaneOptions, type LaneResult, startLane } from '../../src/host/lane.ts';
import { A_BIRTH, aHostLog } from '../support/a-host.ts';
import { aFakeSource } from '../support/a-source.ts';
import { valuesOf } from '../support/a-tensor.ts';
import { anInferRequest } from '../support/an-infer-request.ts';

const JOINED = { joining: { kind: 'declared', doubt: undefined }, probe: false } as const;

async function aLane(t: Test, given: Partial<LaneOptions> = {}) {
  const { log, listeners } = aHostLog();
  const lane = await startLane({
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
  t.teardown(() => lane.close());
  return { lane, log };
}

const TWINNED = { twin: true, candidateFirst: true };
const ALONE = { twin: false, candidateFirst: true };

function run(lane: Lane, x: number, plan = TWINNED): Promise<LaneResult> {
  return lane.run(anInferRequest([x]), plan);
}

function outputOf(result: LaneResult, side: 'candidate' | 'twin'): number[] {
  const run = result[side];
  return run?.kind === 'answer' ? valuesOf(run.outputs[0]) : [];
}

t.test('candidate and twin both answer, in either order', async (t) => {
  const { lane, log } = await aLane(t);
  const results = await Promise.all([
    run(lane, 1),
    run(lane, 2, { twin: true, candidateFirst: false }),
    run(lane, 3, ALONE),
    run(lane, 4),
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
  t.equal(lane.waiting(), 0);
});

t.test('what it gives is owned: nothing else lies in the same memory', async (t) => {
  const { lane } = await aLane(t);
  const { candidate } = await run(lane, 1);
  if (candidate.kind !== 'answer') throw new Error(candidate.message);
  t.equal(candidate.outputs[0]?.data.buffer.byteLength, 4);
});

t.test('a candidate that fails is an observation beside the answer of the twin', async (t) => {
  const { lane } = await aLane(t, { candidate: aFakeSource('throwOn=7') });
  const [bad, good] = await Promise.all([run(lane, 7), run(lane, 1)]);
  t.match(bad?.candidate, { kind: 'failure', code: 'runtime_failed' });
  t.strictSame(outputOf(bad, 'twin'), [21]);
  t.strictSame(outputOf(good, 'candidate'), [1]);
});

t.test('a candidate that dies again and again ends the lane', async (t) => {
  const { lane, log } = await aLane(t, { candidate: aFakeSource('killOn=7') });
  const endings: string[] = [];
  while (lane.life().kind !== 'failed') {
    await run(lane, 7).catch((error: { code: string }) => endings.push(error.code));
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.ok(endings.every((code) => code === 'host_lost'));
  t.equal(log.crashes.length, 3);
  t.strictSame(
    log.crashes.map(({ signal }) => signal),
    ['SIGKILL', 'SIGKILL', 'SIGKILL'],
  );
  t.equal(log.crashLoops.length, 1);
  await t.rejects(run(lane, 1), { code: 'host_lost' });
});

t.test('the queue drops first, and no request waits beyond the deadline', async (t) => {
  const queue = { requestsMax: 2, bytesMax: 100_000 };
  const candidate = aFakeSource('blockMs=300&batchable=0');
  const { lane } = await aLane(t, { queue, candidate });
  const running = run(lane, 1, ALONE);
  const asked = [2, 3, 4, 5, 6].map((x) =>
    lane.run(anInferRequest([x], { withinMs: 60 }), ALONE).then(
      () => 'answer',
      (error: { code: string }) => error.code,
    ),
  );
  const codes = new Set(await Promise.all(asked));
  t.ok(codes.has('overloaded') && codes.has('deadline_exceeded'));
  t.strictSame(outputOf(await running, 'candidate'), [1]);
});

t.test('a lane that cannot load names the version and the reason', async (t) => {
  const candidate = aFakeSource('failLoad=bad+weights', { version: '2' });
  await t.rejects(aLane(t, { candidate }), {
    code: 'version_not_ready',
    message: 'the shadow lane: m version 2: bad weights',
  });
});
