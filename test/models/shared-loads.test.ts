import t from 'tap';
import { type Deferred, deferred } from '../../src/concurrency/deferred.ts';
import { SharedLoads } from '../../src/models/shared-loads.ts';

type Begun = Deferred<void> & { readonly signal: AbortSignal };

/** Loads of letters that end when a test says so, as a process does that takes its time to die. */
function someLoads() {
  const begun: Begun[] = [];
  const loads = new SharedLoads<string>({
    keyOf: (target) => target,
    start: (_target, signal) => {
      const load = { ...deferred<void>(), signal };
      begun.push(load);
      return load.promise;
    },
  });
  return { loads, begun };
}

t.test('who comes while a load that was given up ends gets another', async (t) => {
  const { loads, begun } = someLoads();
  const caller = new AbortController();
  const first = loads.load('a', caller.signal);
  caller.abort();
  const second = loads.load('a', undefined);
  const third = loads.load('a', undefined);
  t.same(
    begun.map(({ signal }) => signal.aborted),
    [true, false],
    'the second is shared again',
  );

  begun[0]?.reject(new Error('given up'));
  await t.rejects(first, { message: 'given up' });
  t.same(loads.targets(), ['a'], 'the second continues');
  begun[1]?.resolve();
  await Promise.all([second, third]);
  t.same(loads.targets(), []);
});

t.test('the end of all loads waits for those that were given up and replaced', async (t) => {
  const { loads, begun } = someLoads();
  const caller = new AbortController();
  const lost = t.rejects(loads.load('a', caller.signal));
  caller.abort();
  const kept = loads.load('a', undefined);
  let isEnded = false;
  const ended = loads.ended().then(() => {
    isEnded = true;
  });
  begun[1]?.resolve();
  await kept;
  t.equal(isEnded, false);
  begun[0]?.reject(new Error('given up'));
  await Promise.all([lost, ended]);
  t.same(loads.targets(), []);
});
