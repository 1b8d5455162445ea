import fc from 'fast-check';
import t from 'tap';
import { UnitFilter } from '../../src/compare/unit-filter.ts';
import { OWN_UNIT, Units } from '../../src/compare/units.ts';
import { aComparison, aLive, aWindow } from './builders.ts';

const RULE = { requests: 3, windowMs: 1_000 };

/** Units of numbers, and what has counted so far. */
function counting(over: { lateMs?: number; from?: Record<string, string> } = {}) {
  const counted: (readonly number[])[] = [];
  const { lateMs = 0, from = {} } = over;
  const options = {
    salt: 's',
    rule: RULE,
    lateMs,
    count: (v: readonly number[]) => counted.push(v),
  };
  const units = new Units<number>(options, from);
  const add = (sticky: string, beganMs: number, value: number) =>
    units.add({ key: { sticky, content: undefined }, place: 'here', beganMs, value });
  return { units, counted, add };
}

t.test(
  'a unit that comes again counts once, by its first requests, when its window has passed',
  (t) => {
    const { add, counted } = counting();
    for (const [at, value] of [1, 2, 3, 4].entries()) add('u', at * 100, value);
    t.same(counted, [], 'its window is open, so its requests do not count yet');
    add('v', 1_000, 9);
    t.same(counted, [], 'a request may still begin within it');
    add('v', 1_001, 9);
    t.same(counted, [[1, 2, 3]]);
    add('u', 1_100, 7);
    add('w', 5_000, 7);
    t.same(
      counted,
      [
        [1, 2, 3],
        [9, 9],
      ],
      'it does not count again',
    );
    t.end();
  },
);

t.test('the requests of open units are bounded together, and counting makes room', (t) => {
  const counted: (readonly number[])[] = [];
  const units = new Units<number>(
    { salt: 's', rule: RULE, lateMs: 0, requestsMax: 4, count: (v) => void counted.push(v) },
    {},
  );
  const add = (sticky: string, beganMs: number): boolean =>
    units.add({ key: { sticky, content: undefined }, place: 'here', beganMs, value: beganMs });
  t.same([add('u', 0), add('u', 1), add('v', 2), add('v', 3)], [true, true, true, true]);
  t.same([add('u', 4), add('w', 5)], [false, false], 'neither more of a unit nor a new one');
  t.equal(add('w', 2_000), true, 'the others have counted by then');
  t.same(counted, [
    [0, 1],
    [2, 3],
  ]);
  t.same([add('x', 2_001), add('x', 2_002), add('x', 2_003)], [true, true, true]);
  t.equal(add('y', 2_004), false);
  t.end();
});

t.test('requests after the window, or at another place, are none of the unit that counts', (t) => {
  const { units, add, counted } = counting();
  add('u', 0, 1);
  const key = { sticky: 'u', content: undefined };
  t.equal(units.add({ key, place: 'there', beganMs: 500, value: 2 }), false);
  t.equal(add('u', 1_001, 3), false, 'it has counted by now');
  t.same(counted, [[1]]);
  t.end();
});

t.test('requests that are offered late take their place in the order in which they began', (t) => {
  const { add, counted } = counting({ lateMs: 1_000 });
  for (const at of [0, 300, 400, 500]) add('u', at, at);
  t.equal(add('u', 100, 100), true, 'slow, and among the first');
  t.equal(add('u', 600, 600), false);
  add('v', 2_001, 0);
  t.same(counted, [[0, 100, 300]]);
  t.end();
});

t.test('the same bytes count again once the window has passed', (t) => {
  const { units, counted } = counting();
  const add = (content: string | undefined, beganMs: number) =>
    units.add({ key: { sticky: undefined, content }, place: '', beganMs, value: beganMs });
  t.same([add('a', 0), add('a', 10), add('b', 20), add('a', 1_000)], [true, false, true, false]);
  t.equal(add('a', 1_001), true);
  t.same([add(undefined, 1_002), add(undefined, 1_002)], [true, true], 'units of their own');
  t.same(counted, [[0], [20], [1_001], [1_002], [1_002]]);
  t.end();
});

t.test('after a restart new units count, and those that have counted do not', (t) => {
  const before = counting();
  for (let unit = 0; unit < 500; unit += 1) before.add(`u${unit}`, unit * 10, unit);
  before.add('last', 100_000, 0);
  t.equal(before.counted.length, 500);
  const after = counting({ from: before.units.snapshot() });
  for (let unit = 0; unit < 1_500; unit += 1) after.add(`u${unit}`, unit, unit);
  after.add('end', 200_000, 0);
  const fresh = after.counted.flat().filter((unit) => unit >= 500).length;
  t.equal(after.counted.length, fresh, 'none counts twice');
  t.ok(fresh >= 970, `${fresh} of 1,000 new ones count`);
  t.end();
});

t.test(
  'a filter knows each unit that it was given, few others, and takes no more than it has room for',
  (t) => {
    const hash = (n: number): string =>
      (BigInt.asUintN(64, BigInt(n + 1) * 0x9e3779b97f4a7c15n) ^ 0x5bd1e995n)
        .toString(16)
        .padStart(16, '0');
    const filter = new UnitFilter({});
    let taken = 0;
    while (filter.add(hash(taken))) taken += 1;
    t.ok(taken > 80_000 && taken < 95_000, `${taken} units`);
    const read = new UnitFilter(JSON.parse(JSON.stringify(filter.snapshot())));
    t.ok(Array.from({ length: 1_000 }, (_, at) => at * 80).every((at) => read.has(hash(at))));
    const wrong = Array.from({ length: 10_000 }, (_, at) => hash(1_000_000 + at)).filter((it) =>
      read.has(it),
    );
    t.ok(wrong.length < 300, `${wrong.length} of 10,000 new units are taken for known`);
    t.equal(read.add(hash(2_000_000)), false, 'full after a restart as well');
    t.end();
  },
);

t.test('live failures give one share a unit, and what begins during one counts nowhere', (t) => {
  const window = aWindow({ unit: RULE });
  const failed = { failure: 'runtime_failed' } as const;
  window.addLive(aLive({ unit: 'u', startedMs: 0, endedMs: 5 }));
  window.addLive(aLive({ unit: 'u', startedMs: 10, endedMs: 50, ...failed }));
  window.addLive(aLive({ unit: 'u', startedMs: 20, endedMs: 60, ...failed }));
  window.addLive(aLive({ startedMs: 30, endedMs: 60, ...failed }));
  window.addLive(aLive({ startedMs: 60, endedMs: 65, side: 'reference' }));
  window.addLive(aLive({ startedMs: 2_000, endedMs: 2_005, failure: 'invalid_input' }));
  window.addLive(aLive({ startedMs: 2_001, endedMs: 2_005, side: 'reference' }));
  t.same(window.snapshot().liveErrors, {
    '500:9500': { candidate: { '1/2': 1 }, reference: { '0/1': 2 } },
  });
  t.same(window.snapshot().liveFelt, {
    '500:9500': { candidate: { requests: 4, failed: 3 }, reference: { requests: 2, failed: 0 } },
  });
  t.end();
});

t.test(
  'a caller with many failed requests weighs no more in what was felt than others may',
  (t) => {
    const window = aWindow({ unit: RULE });
    for (let at = 0; at < 500; at += 1) {
      window.addLive(aLive({ unit: 'u', startedMs: at, endedMs: at, failure: 'runtime_failed' }));
    }
    window.addLive(aLive({ startedMs: 9_000, endedMs: 9_001 }));
    const { candidate } = window.snapshot().liveFelt?.['500:9500'] ?? {};
    t.same(candidate, { requests: RULE.requests + 1, failed: RULE.requests });
    t.end();
  },
);

t.test('mirrored pairs of one unit give one value to each metric', (t) => {
  const window = aWindow({ unit: { requests: 4, windowMs: 100 } });
  const unit = { sticky: 'u', content: undefined };
  window.addComparison(aComparison({ unit, drawnMs: 0, score: 1, noise: 0 }));
  window.addComparison(aComparison({ unit, drawnMs: 1, score: 0 }));
  window.addComparison(aComparison({ unit, drawnMs: 2, score: undefined, candidateFailed: true }));
  window.addComparison(aComparison({ unit: OWN_UNIT, drawnMs: 300, score: 0 }));
  const { disagreement, excessDisagreement, pairedFailures } = window.snapshot();
  t.same(disagreement.down, { 0: 1, 500: 1 });
  t.same(excessDisagreement.down, { 1000: 1 });
  t.same(pairedFailures, { '0:0/1': 1, '1:0/3': 1 });
  t.end();
});

t.test('no unit counts more than once, however its requests fall', async (t) => {
  const requests = fc.array(
    fc.record({ unit: fc.integer({ min: 0, max: 4 }), gapMs: fc.integer({ min: 0, max: 900 }) }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(requests, (list) => {
      const { add, counted } = counting();
      let atMs = 0;
      for (const { unit, gapMs } of list) {
        atMs += gapMs;
        add(`u${unit}`, atMs, unit);
      }
      const units = counted.map(([first]) => first);
      return (
        new Set(units).size === units.length &&
        counted.every((values) => values.length <= 3 && new Set(values).size === 1)
      );
    }),
  );
  t.pass();
});

t.test(
  'a content that makes an older one leave costs about as much as one that does not',
  async (t) => {
    const rule = { requests: 3, windowMs: 1_000_000 };
    const units = new Units<number>({ salt: 's', rule, lateMs: 0, count: () => undefined }, {});
    const adding = (from: number): number => {
      const startedMs = performance.now();
      for (let at = from; at < from + 100_000; at += 1) {
        const key = { sticky: undefined, content: `c${at}` };
        units.add({ key, place: 'here', beganMs: at, value: 0 });
      }
      return performance.now() - startedMs;
    };
    const [withRoom, full] = [adding(0), adding(100_000)];
    t.ok(full < 4 * withRoom + 300, `${full} ms, ${withRoom} ms with room`);
  },
);
