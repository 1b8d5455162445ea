import t from 'tap';
import { onAbort } from '../../src/concurrency/cancel-token.ts';
import { type Deferred, deferred } from '../../src/concurrency/deferred.ts';
import { HandClock } from '../../src/core/clock.ts';
import { ServeError } from '../../src/core/errors.ts';
import type { Infer, InferResponse } from '../../src/core/infer.ts';
import { AnchorHost, type AnchorHostOptions } from '../../src/host/anchor-host.ts';
import { anInferRequest } from '../support/an-infer-request.ts';

type Started = Awaited<ReturnType<AnchorHostOptions['start']>>;

const ANSWER: InferResponse = {
  ...{ model: 'm', version: '1', outputs: [], nonFinite: undefined },
  ...{ timing: { queueMs: 0, computeMs: 3 }, batch: { id: 1, rows: 1 } },
};

/** A host that answers as the test says. */
function aHost(infer: Infer): Started & { readonly isClosed: () => boolean } {
  let isClosed = false;
  const close = async (): Promise<void> => {
    isClosed = true;
  };
  return { infer, state: () => ({ kind: 'ready' }), close, isClosed: () => isClosed };
}

/** An anchor whose loads end in this order: with a host, or an error. */
async function anAnchor(...loads: readonly (Started | Error)[]) {
  const clock = new HandClock();
  const left = [...loads];
  const start = async (): Promise<Started> => {
    const next = left.shift();
    if (next === undefined) throw new Error('expected another load, found none');
    if (next instanceof Error) throw next;
    return next;
  };
  const anchor = new AnchorHost({ start, clock });
  await new Promise((resolve) => setImmediate(resolve));
  const ask = (withinMs = 5_000) =>
    anchor.answer(anInferRequest([1], { deadlineMs: clock.monotonicMs() + withinMs }));
  return { anchor, clock, ask };
}

t.test('it answers, and a model that fails is a failure of the anchor', async (t) => {
  let code: 'runtime_failed' | 'overloaded' | undefined;
  const { ask } = await anAnchor(
    aHost(async () => {
      if (code !== undefined) throw new ServeError(code, 'no');
      return ANSWER;
    }),
  );
  t.match(await ask(), { kind: 'answer', computeMs: 3 });
  code = 'runtime_failed';
  t.match(await ask(), { kind: 'failure', code: 'runtime_failed' });
  code = 'overloaded';
  t.equal(await ask(), undefined, 'a full queue says nothing of the model');
});

t.test('one that hangs is given up at the deadline, and then left alone for a while', async (t) => {
  let asked = 0;
  const infer: Infer = (_, signal) => {
    asked += 1;
    return new Promise((_resolve, reject) =>
      onAbort(signal, () => reject(new ServeError('cancelled', 'given up'))),
    );
  };
  const { ask, clock } = await anAnchor(aHost(infer));
  t.match(await ask(10), { kind: 'failure', code: 'deadline_exceeded' });
  t.equal(await ask(10), undefined);
  t.equal(asked, 1);
  clock.advance(10_000);
  await ask(10);
  t.equal(asked, 2);
});

t.test('it takes so many copies at a time and no more', async (t) => {
  const waiting: Deferred<InferResponse>[] = [];
  const infer: Infer = () => {
    const next = deferred<InferResponse>();
    waiting.push(next);
    return next.promise;
  };
  const { ask } = await anAnchor(aHost(infer));
  const all = Array.from({ length: 70 }, () => ask());
  t.equal(waiting.length, 64);
  for (const each of waiting) each.resolve(ANSWER);
  const answers = await Promise.all(all);
  t.equal(answers.filter((answer) => answer === undefined).length, 6);
});

t.test('one that cannot be loaded says why, and is tried again later', async (t) => {
  const host = aHost(async () => ANSWER);
  const { anchor, ask, clock } = await anAnchor(new Error('its files have changed'), host);
  t.same(anchor.state(), { kind: 'failed', reason: 'its files have changed' });
  t.equal(await ask(), undefined);
  clock.advance(60_000);
  t.equal(await ask(), undefined, 'it is being loaded');
  t.match(await ask(), { kind: 'answer' });
  t.same(anchor.state(), { kind: 'ready' });
  await anchor.close();
  t.ok(host.isClosed());
  t.equal(await ask(), undefined);
});

t.test('a load that is no longer wanted is given up', async (t) => {
  let isGivenUp = false;
  const anchor = new AnchorHost({
    clock: new HandClock(),
    start: (signal) =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => {
          isGivenUp = true;
          reject(new Error('given up'));
        }),
      ),
  });
  t.same(anchor.state(), { kind: 'loading' });
  await anchor.close();
  t.ok(isGivenUp);
});
