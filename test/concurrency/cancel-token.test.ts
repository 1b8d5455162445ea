import t from 'tap';
import { CancelToken, offAbort, onAbort } from '../../src/concurrency/cancel-token.ts';

t.test('an abort calls everyone who still listens, once, in order', async (t) => {
  const controller = new AbortController();
  const { signal } = controller;
  const called: string[] = [];
  const first = () => called.push('first');
  const second = () => called.push('second');
  const third = () => called.push('third');
  for (const listener of [first, second, third]) onAbort(signal, listener);
  offAbort(signal, second);
  controller.abort();
  controller.abort();
  t.same(called, ['first', 'third']);
});

t.test('a listener may take back another that was not called yet', async (t) => {
  const controller = new AbortController();
  const { signal } = controller;
  const called: string[] = [];
  const second = () => called.push('second');
  onAbort(signal, () => {
    called.push('first');
    offAbort(signal, second);
  });
  onAbort(signal, second);
  controller.abort();
  t.same(called, ['first']);
});

t.test('signals do not hear of each other', async (t) => {
  const [one, other] = [new AbortController(), new AbortController()];
  let calls = 0;
  onAbort(one.signal, () => {
    calls += 1;
  });
  other.abort();
  t.equal(calls, 0);
  t.doesNotThrow(() => offAbort(other.signal, () => undefined));
  one.abort();
  t.equal(calls, 1);
});

t.test('a cancel token calls its listeners as a platform signal does', async (t) => {
  const token = new CancelToken();
  const called: string[] = [];
  const [first, second] = [() => called.push('first'), () => called.push('second')];
  onAbort(token, first);
  onAbort(token, second);
  offAbort(token, first);
  t.equal(token.aborted, false);
  token.abort();
  token.abort();
  t.same(called, ['second']);
  t.equal(token.aborted, true);
});
