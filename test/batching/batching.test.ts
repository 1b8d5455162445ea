import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { type Candidate, planBatch } from '../../src/batching/plan.ts';
import { RunTime } from '../../src/batching/run-time.ts';
import { scatter } from '../../src/batching/scatter.ts';
import type { RunBatch } from '../../src/batching/work.ts';
import { joinByteStrings } from '../../src/core/byte-strings.ts';
import { HandClock, systemClock } from '../../src/core/clock.ts';
import { ServeError } from '../../src/core/errors.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import type { Answer } from '../../src/core/work.ts';
import { aTensor, valuesOf } from '../support/a-tensor.ts';
import {
  aBatcher,
  aWork,
  doubled,
  doubledAtOnce,
  nextTurn,
  valuesFrom,
  whole,
} from './builders.ts';

t.test('requests of one turn share a run; what comes meanwhile makes the next', async (t) => {
  const { runs, ask } = aBatcher();
  const first = [ask(aWork([1])), ask(aWork([2, 3]))];
  await nextTurn();
  const second = [ask(aWork([4])), ask(aWork([5])), ask(aWork([6]))];
  await nextTurn();
  t.strictSame(
    runs.map(({ rows }) => rows),
    [3],
  );
  runs[0]?.end();
  t.strictSame(await Promise.all(first.map(({ answer }) => valuesFrom(answer))), [[2], [4, 6]]);
  await nextTurn();
  t.strictSame(
    runs.map(({ rows }) => rows),
    [3, 3],
  );
  runs[1]?.end();
  t.strictSame(await Promise.all(second.map(({ answer }) => valuesFrom(answer))), [
    [8],
    [10],
    [12],
  ]);
  const [a, b] = await Promise.all([first[0]?.answer, second[0]?.answer]);
  t.strictSame(
    [a?.batch, b?.batch],
    [
      { id: 0, rows: 3 },
      { id: 1, rows: 3 },
    ],
  );
});

t.test('a run gets the requests that it is for in the order of their rows', async (t) => {
  const given: unknown[] = [];
  const run: RunBatch = (...of) => {
    given.push(of[2]);
    return doubledAtOnce(...of);
  };
  const { batcher, ask } = aBatcher({ free: () => 1, run });
  const works = [aWork([1, 2], { id: 'a' }), aWork([3], { id: 'b' })];
  await Promise.all(works.map((work) => ask(work).answer));
  t.strictSame(given, [{ requests: works, scannedRows: [] }]);
  await batcher.runSpare(aWork([4]).inputs, [0]);
  t.equal(given[1], undefined, 'no caller waits for a spare run');
});

t.test(
  'what a run found in the answers goes to the requests that wanted those outputs',
  async (t) => {
    const scanned: unknown[] = [];
    const run: RunBatch = async (...of) => {
      scanned.push(of[2]?.scannedRows);
      const nonFinite = [{ run: 0, request: 1, output: 'y' }];
      return { ...(await doubledAtOnce(...of)), nonFinite };
    };
    const { ask } = aBatcher({ free: () => 1, run });
    const works = [aWork([1, 2], { scan: true }), aWork([3])];
    const answers = await Promise.all(works.map((work) => ask(work).answer));
    t.strictSame(scanned, [[2, 1]], 'one that asks for it has the whole batch looked through');
    t.match(answers[1]?.runs, [{ kind: 'answer', nonFinite: ['y'] }]);
    t.notOk('nonFinite' in (answers[0]?.runs[0] ?? {}), 'it was found in another request');
    const others = [aWork([1], { scan: true }), aWork([3], { outputs: ['z'] })];
    const [, unwanted] = await Promise.all(others.map((work) => ask(work).answer));
    t.notOk('nonFinite' in (unwanted?.runs[0] ?? {}), 'the request did not want that output');
  },
);

t.test('a request that fails its batch fails alone', async (t) => {
  const { runs, ask } = aBatcher({ free: () => 1, run: doubledAtOnce });
  const asked = [ask(aWork([1])), ask(aWork([13])), ask(aWork([2]))];
  const settled = await Promise.all(asked.map(({ answer }) => valuesFrom(answer).catch(String)));
  t.strictSame(settled, [[2], 'Error: bad luck', [4]]);
  t.equal(runs.length, 0);
});

t.test('requests that are too large only together run one by one', async (t) => {
  const run: RunBatch = async (tensors, plan) => {
    if ((tensors[0]?.shape[0] ?? 0) > 1) throw new ServeError('too_large', 'no frame takes it');
    return { runs: doubled(tensors, plan), takenMs: 1 };
  };
  const { ask } = aBatcher({ free: () => 1, run });
  const asked = [ask(aWork([1])), ask(aWork([2])), ask(aWork([3, 4]))];
  const settled = await Promise.all(asked.map(({ answer }) => valuesFrom(answer).catch(String)));
  t.strictSame(settled, [[2], [4], 'ServeError: no frame takes it']);
});

// Together they have the right number of values, so the batch would run and each would get the other's.
t.test('a request with a value too many never shares a run', async (t) => {
  const run = doubledAtOnce;
  const { ask } = aBatcher({ free: () => 1, run });
  const long = aWork([], { inputs: [aTensor([1, 2, 3], { shape: [2, 1] })] });
  const short = aWork([], { inputs: [aTensor([4], { shape: [2, 1] })] });
  const asked = [ask(long), ask(short), ask(aWork([5]))];
  const settled = await Promise.all(asked.map(({ answer }) => valuesFrom(answer).catch(String)));
  t.strictSame(settled[2], [10]);
  t.match(settled[0], /disagree/);
  t.match(settled[1], /disagree/);
});

t.test('a model whose outputs have no row for each request is run one by one', async (t) => {
  const run: RunBatch = async (tensors) => {
    const outputs = [aTensor(valuesOf(tensors.map(whole)[0]).slice(0, 1))];
    return { runs: [{ kind: 'answer', outputs, computeMs: 1 }], takenMs: 1 };
  };
  const { ask } = aBatcher({ free: () => 1, run });
  const asked = [ask(aWork([1])), ask(aWork([2])), ask(aWork([3]))];
  const settled = await Promise.all(asked.map(({ answer }) => valuesFrom(answer)));
  t.strictSame(settled, [[1], [2], [3]]);
});

t.test('a full queue refuses immediately, by requests and by bytes', async (t) => {
  const { runs, ask } = aBatcher({ queue: { requestsMax: 2, bytesMax: 12 } });
  ask(aWork([0]));
  await nextTurn();
  t.equal(runs.length, 1, 'the first one runs, so it does not wait');
  ask(aWork([1]));
  await t.rejects(ask(aWork([1, 2, 3])).answer, {
    code: 'overloaded',
    message: /at most 12 bytes/,
  });
  ask(aWork([2]));
  await t.rejects(ask(aWork([3])).answer, { code: 'overloaded', message: /at most 2 requests/ });
});

t.test('a cancelled request leaves immediately and never runs', async (t) => {
  const { batcher, runs, ask } = aBatcher();
  ask(aWork([0]));
  await nextTurn();
  const kept = ask(aWork([1]));
  const cancelled = ask(aWork([2]));
  t.equal(batcher.waiting, 2);
  cancelled.cancel();
  t.equal(batcher.waiting, 1);
  await t.rejects(cancelled.answer, { code: 'cancelled' });
  runs[0]?.end();
  await nextTurn();
  await nextTurn();
  t.strictSame(
    runs.map(({ rows }) => rows),
    [1, 1],
  );
  runs[1]?.end();
  t.strictSame(await valuesFrom(kept.answer), [2]);
});

t.test('a request whose deadline passes while it waits is refused then, not later', async (t) => {
  const alive = setInterval(() => undefined, 1_000);
  t.teardown(() => clearInterval(alive));
  const { batcher, runs, ask } = aBatcher({ clock: systemClock });
  const nowMs = systemClock.monotonicMs();
  ask(aWork([0], { deadlineMs: nowMs + 60_000 }));
  await nextTurn();
  const { answer } = ask(aWork([1], { deadlineMs: nowMs + 20 }));
  await t.rejects(answer, { code: 'deadline_exceeded' });
  t.equal(batcher.waiting, 0);
  t.equal(runs.length, 1, 'the replica is still busy');
  await t.rejects(ask(aWork([1], { deadlineMs: nowMs })).answer, { code: 'deadline_exceeded' });
});

t.test(
  'a delay holds the first request for others, and a full batch runs immediately',
  async (t) => {
    const { runs, ask } = aBatcher({ clock: systemClock, delayMs: 5_000, rowsMax: 2 });
    ask(aWork([1], { deadlineMs: Number.MAX_VALUE }));
    await nextTurn();
    t.equal(runs.length, 0);
    ask(aWork([2], { deadlineMs: Number.MAX_VALUE }));
    await nextTurn();
    t.strictSame(
      runs.map(({ rows }) => rows),
      [2],
    );
  },
);

t.test('closing answers what was taken and takes nothing new', async (t) => {
  const { batcher, ask } = aBatcher({ free: () => 1, run: doubledAtOnce });
  const { answer } = ask(aWork([1]));
  await batcher.close();
  t.strictSame(await valuesFrom(answer), [2]);
  await t.rejects(ask(aWork([1])).answer, { code: 'version_not_ready' });
});

type Asked = { readonly sent: readonly number[]; cancel: () => void; answer: Promise<Answer> };

/** A batcher at work, and everything that may happen to it. */
function aScene() {
  const clock = new HandClock();
  const { batcher, runs, ask } = aBatcher({ clock, rowsMax: 4 });
  const asked: Asked[] = [];
  const happen = {
    ask: (rows: number) => {
      const sent = Array.from({ length: rows }, () => 10 + (asked.length % 7));
      asked.push({ sent, ...ask(aWork(sent, { deadlineMs: clock.monotonicMs() + 50 })) });
    },
    cancel: (which: number) => asked[which]?.cancel(),
    end: () => runs.shift()?.end(),
    late: () => clock.advance(30),
    turn: () => undefined,
  };
  const finish = async (): Promise<void> => {
    const closed = batcher.close();
    for (let turn = 0; turn < 100; turn += 1) {
      runs.shift()?.end();
      await nextTurn();
    }
    await closed;
  };
  return { asked, happen, finish };
}

/** Its own values doubled, or a reason that is its own. */
async function assertOwnEnding({ sent, answer }: Asked): Promise<void> {
  const ending = await valuesFrom(answer).catch((error: Error) => error);
  if (Array.isArray(ending))
    assert.deepEqual(
      ending,
      sent.map((value) => value * 2),
    );
  else if (ending instanceof ServeError)
    assert.match(ending.code, /^(cancelled|deadline_exceeded)$/);
  else assert(sent.includes(13), String(ending));
}

t.test('each that closes a batcher waits until it is drained, and no longer', async (t) => {
  const { batcher, runs, ask } = aBatcher();
  const { answer } = ask(aWork([1]));
  await nextTurn();
  const closed = [batcher.close(), batcher.close()];
  runs[0]?.end();
  t.same(await Promise.all(closed), [undefined, undefined]);
  t.same(await valuesFrom(answer), [2]);
});

// Random arrivals, cancellations, failures and ends of runs, in any order.
t.test('every request is answered once and with its own rows, in any order', async () => {
  const anEvent = fc.tuple(
    fc.constantFrom('ask', 'ask', 'ask', 'cancel', 'end', 'late', 'turn' as const),
    fc.nat(20),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(anEvent, { maxLength: 60 }), async (events) => {
      const { asked, happen, finish } = aScene();
      for (const [event, number] of events) {
        happen[event](event === 'ask' ? number % 4 : number);
        if (event !== 'ask') await nextTurn();
      }
      await finish();
      await Promise.all(asked.map(assertOwnEnding));
    }),
    { numRuns: 60 },
  );
});

t.test('splitting a batch gives each request its own rows', async () => {
  fc.assert(
    fc.property(fc.array(fc.nat(4), { minLength: 1, maxLength: 6 }), fc.boolean(), (rows, text) => {
      let start = 0;
      const ranges = rows.map((count) => {
        start += count;
        return { start: start - count, rows: count };
      });
      const cells = Array.from({ length: start * 2 }, (_, cell) => Uint8Array.of(cell, cell));
      const asData = (of: readonly Uint8Array[]): Uint8Array =>
        text ? joinByteStrings(of) : Uint8Array.from(Buffer.concat(of));
      const dtype = text ? 'BYTES' : 'INT16';
      const batch: Tensor = { name: 'y', dtype, shape: [start, 2], data: asData(cells) };
      const shares = scatter([batch], ranges);
      assert.equal(shares.length, rows.length);
      ranges.forEach((range, at) => {
        const own = cells.slice(range.start * 2, (range.start + range.rows) * 2);
        const expected = { name: 'y', dtype, shape: [range.rows, 2], data: asData(own) };
        assert.deepEqual(
          { ...shares[at]?.[0], data: Uint8Array.from(shares[at]?.[0]?.data ?? []) },
          expected,
        );
      });
    }),
    { numRuns: 100 },
  );
});

const aCandidate: fc.Arbitrary<Candidate> = fc
  .record({
    rows: fc.nat(5),
    alone: fc.boolean(),
    deadlineMs: fc.integer({ min: -5, max: 40 }),
    width: fc.integer({ min: 1, max: 2 }),
    plan: fc.constantFrom([0], [0, 1]),
  })
  .map(({ rows, alone, deadlineMs, width, plan }) => ({
    rows,
    alone,
    plan,
    work: aWork([], { deadlineMs, inputs: [aTensor([], { shape: [rows, width] })] }),
  }));

t.test('a plan never exceeds its rows, mixes what may not mix or runs what is late', async () => {
  const runMs = (rows: number): number => 2 + rows;
  fc.assert(
    fc.property(fc.array(aCandidate, { maxLength: 12 }), fc.boolean(), (waiting, probe) => {
      const { batch, rows, late } = planBatch(waiting, { nowMs: 0, rowsMax: 6, runMs, probe });
      assert.equal(
        rows,
        batch.reduce((sum, entry) => sum + entry.rows, 0),
      );
      assert(rows <= 6 || batch.length === 1);
      assert(batch.length < 2 || batch.every(({ alone }) => !alone));
      assert(
        new Set(batch.map(({ work, plan }) => `${plan} ${work.inputs[0]?.shape[1]}`)).size < 2,
      );
      assert(
        batch.every(({ work }) => work.deadlineMs > 0 && (probe || runMs(rows) <= work.deadlineMs)),
      );
      assert(late.every((entry) => runMs(entry.rows) > entry.work.deadlineMs));
      assert(batch.every((entry) => !late.includes(entry)));
      assert(batch.length > 0 || late.length === waiting.length, 'a request runs, or all are late');
      const order = batch.map((entry) => waiting.indexOf(entry));
      assert.deepEqual(
        order,
        [...order].sort((a, b) => a - b),
      );
    }),
  );
});

t.test('run times are learned as a start and a price per row', async (t) => {
  const runTime = new RunTime();
  for (let run = 0; run < 4; run += 1) runTime.learn(1 + run, 2 + 0.5 * (1 + run));
  t.equal(runTime.expect(8), 2.5, 'four runs only say what a run takes at least');
  for (let run = 0; run < 40; run += 1) runTime.learn(1 + (run % 8), 2 + 0.5 * (1 + (run % 8)));
  t.ok(Math.abs(runTime.expect(32) - 18) < 0.01);
  for (let run = 0; run < 400; run += 1) runTime.learn(1 + (run % 8), 20);
  t.ok(Math.abs(runTime.expect(32) - 20) < 0.1, 'what changed is unlearned');
});

t.test('what cannot be answered in time is refused before it costs a run', async (t) => {
  const clock = new HandClock();
  let computeMs = 30;
  const run: RunBatch = async (...of) => {
    clock.advance(computeMs);
    return { runs: doubled(...of), takenMs: computeMs };
  };
  const { ask } = aBatcher({ clock, free: () => 1, run });
  const askWithin = (leftMs: number) =>
    ask(aWork([1], { deadlineMs: clock.monotonicMs() + leftMs })).answer;
  for (let taught = 0; taught < 6; taught += 1) await askWithin(1_000);
  await t.rejects(askWithin(29), { code: 'deadline_exceeded' });
  t.strictSame(await valuesFrom(askWithin(31)), [2]);
  // After a quiet while the model may have become faster: one request is let through to find out.
  clock.advance(2_000);
  computeMs = 1;
  t.strictSame(await valuesFrom(askWithin(5)), [2]);
});
