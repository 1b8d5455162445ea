import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import type { Kept } from '../../src/capture/label-entry.ts';
import { LabelWait } from '../../src/capture/label-wait.ts';
import { HandClock } from '../../src/core/clock.ts';

const aWait = (bytesMax: () => number) =>
  new LabelWait<unknown>({
    windowMs: () => 1_000_000,
    unit: { requests: 20, windowMs: 1_000 },
    bytesMax,
    countedUntilMs: 0,
    clock: new HandClock(),
    check: () => undefined,
    lossesOf: () => [0, 1],
    payloadOf: (stored) => stored,
    isCounted: () => false,
    recordedWithinMs: () => 0,
    onMature: () => undefined,
  });

t.test('what waits is accounted with the memory that it takes', async (t) => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const heap = (): number => {
    gc();
    gc();
    return process.memoryUsage().heapUsed;
  };
  const count = 20_000;
  const shapes: Readonly<Record<string, (n: number) => Kept<unknown> | undefined>> = {
    drawn: () => undefined,
    own: () => ({ unit: undefined, sameAs: undefined, payload: [[0], [3], [3], 0] }),
    same: (n) => ({ unit: undefined, sameAs: `digest ${n}`, payload: [[0], [3], [3], 0] }),
    sticky: (n) => ({
      unit: `a hash ${Math.floor(n / 10)}`,
      sameAs: undefined,
      payload: [[0], [3], [3], 0],
    }),
    rows: () => {
      const classes = (of: number) => Array.from({ length: 32 }, () => of);
      return { unit: undefined, sameAs: undefined, payload: [[0], classes(3), classes(4), 0] };
    },
  };
  for (const [shape, keptOf] of Object.entries(shapes)) {
    const wait = aWait(() => 1e9);
    const before = heap();
    for (let n = 0; n < count; n += 1) {
      const id = `0190a2b3-4c5d-7e6f-${n}`;
      wait.expect(id);
      const kept = keptOf(n);
      if (kept !== undefined) wait.keep(id, kept);
      if (n % 2 === 0 && kept !== undefined) wait.label(id, 1);
    }
    const taken = (heap() - before) / count;
    const accounted = wait.counts().bytes / count;
    const ratio = accounted / taken;
    t.ok(ratio > 0.8 && ratio < 1.6, `${shape}: ${accounted} accounted, ${taken} taken`);
  }
});

t.test('a bound that is changed holds for what waits already', async (t) => {
  let bytesMax = 1_048_576;
  const wait = aWait(() => bytesMax);
  const pair = (id: string): void => {
    wait.expect(id);
    wait.keep(id, { unit: undefined, sameAs: undefined, payload: 1 });
  };
  for (let n = 0; n < 100; n += 1) pair(`r${n}`);
  t.equal(wait.counts().waiting, 100);
  bytesMax = 8_000;
  pair('one more');
  t.ok(wait.counts().bytes <= 8_000, `${wait.counts().bytes}`);
  t.ok(wait.counts().waiting > 5);
});
