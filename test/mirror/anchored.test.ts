import t from 'tap';
import { type Deferred, deferred } from '../../src/concurrency/deferred.ts';
import type { Observation } from '../../src/core/outcome.ts';
import type { MirrorSetting } from '../../src/core/route.ts';
import { ALL, aStage, HandShadowHost, settle } from './builders.ts';

const ANCHORED = { ...ALL, anchor: { version: '0', digest: 'd', shareBp: 10_000 } };

/** An anchor beside the shadow host, whose answers come when the test says so. */
function anAnchoredStage(setting: MirrorSetting = ANCHORED) {
  const asked: Deferred<Observation | undefined>[] = [];
  const shadow = new HandShadowHost();
  const anchor = {
    answer: () => {
      const next = deferred<Observation | undefined>();
      asked.push(next);
      return next.promise;
    },
  };
  const { run, backlogBytes } = shadow;
  const host = { run, backlogBytes, anchor };
  const stage = aStage({
    setting: () => setting,
    shadowHost: () => host,
    limits: { concurrency: 1 },
  });
  return { ...stage, shadow, asked };
}

const FROM_ANCHOR: Observation = { kind: 'answer', outputs: [], computeMs: 2 };

t.test(
  'a pair has the answer of the anchor, and waits for it without holding up the next',
  async (t) => {
    const { send, shadow, asked, pairs, mirror, events } = anAnchoredStage();
    send('a');
    send('b');
    await settle();
    shadow.runs[0]?.answer();
    await settle();
    t.equal(pairs.length, 0, 'it waits for the anchor');
    t.equal(shadow.runs.length, 2, 'the next one runs');
    shadow.runs[1]?.answer();
    asked[1]?.resolve(undefined);
    await settle();
    t.match(pairs, [{ requestId: 'b', anchor: undefined }]);
    t.ok(mirror.heldBytes() > 0);
    const drained = mirror.drain();
    asked[0]?.resolve(FROM_ANCHOR);
    await drained;
    t.match(pairs[1], { requestId: 'a', anchor: FROM_ANCHOR });
    t.equal(mirror.heldBytes(), 0);
    t.same(
      events.map(({ kind }) => kind),
      ['compared', 'compared'],
    );
  },
);

t.test('the anchor is asked for its share of the copies', async (t) => {
  const { send, shadow, asked } = anAnchoredStage({
    ...ALL,
    anchor: { ...ANCHORED.anchor, shareBp: 2_000 },
  });
  for (let at = 0; at < 100; at += 1) {
    send(`${at}`);
    await settle();
    shadow.runs.at(-1)?.answer();
    asked.at(-1)?.resolve(undefined);
    await settle();
  }
  t.ok(asked.length > 8 && asked.length < 36, `asked ${asked.length} of 100 times`);
});

t.test(
  "a crash of the shadow host is the candidate's, regardless of what the anchor answered",
  async (t) => {
    const { send, shadow, asked, pairs } = anAnchoredStage();
    send('a');
    await settle();
    shadow.runs[0]?.reject('host_lost');
    asked[0]?.resolve(FROM_ANCHOR);
    await settle();
    t.match(pairs, [{ candidate: { kind: 'failure', code: 'host_lost' }, anchor: FROM_ANCHOR }]);
  },
);
