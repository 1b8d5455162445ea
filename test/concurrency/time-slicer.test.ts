import t from 'tap';
import { createTimeSlicer, runSliced, runSlicedSteps } from '../../src/concurrency/time-slicer.ts';

t.test('sliced work of several requests alternates, one slice a turn', async (t) => {
  const slicer = { ...createTimeSlicer(), isOver: () => true };
  const order: string[] = [];
  const work = (name: string) => {
    let left = 3;
    const step = (): boolean => {
      order.push(name);
      left -= 1;
      return left === 0;
    };
    return runSliced({ step }, slicer);
  };
  let ticks = 0;
  const beat = (): void => {
    ticks += 1;
    if (order.length < 6) setImmediate(beat);
  };
  setImmediate(beat);
  await Promise.all([work('a'), work('b')]);
  t.strictSame(order, ['a', 'b', 'a', 'b', 'a', 'b']);
  t.ok(ticks >= 3, `the loop turned ${ticks} times meanwhile`);
});

t.test('a slice is as long as the clock says, over all requests', async (t) => {
  let nowMs = 0;
  const slicer = createTimeSlicer({ monotonicMs: () => nowMs, wallMs: () => 0 });
  let steps = 0;
  const stepsOf = (count: number, stepMs: number) => {
    let left = count;
    const step = (): boolean => {
      nowMs += stepMs;
      steps += 1;
      left -= 1;
      return left === 0;
    };
    return runSliced({ step }, slicer);
  };
  const quick = stepsOf(100, 0.001);
  t.equal(steps, 100, 'quick work is done without a pause');
  const slow = stepsOf(3, 10);
  t.equal(steps, 101, 'slow work waits, as the slice was begun before it');
  await Promise.all([quick, slow]);
  t.equal(steps, 103);
});

t.test('a computation is interrupted where it yields, and gives its result', async (t) => {
  const slicer = { ...createTimeSlicer(), isOver: () => true };
  const order: string[] = [];
  function* counting(): Generator<void, number> {
    for (let at = 0; at < 3; at += 1) {
      order.push(`step ${at}`);
      yield;
    }
    return 3;
  }
  const counted = runSlicedSteps(counting(), slicer);
  setImmediate(() => order.push('another request'));
  t.equal(await counted, 3);
  t.ok(order.indexOf('another request') < order.indexOf('step 2'), order.join(', '));
});
