import t from 'tap';
import type { PairCounts } from '../../src/core/evidence.ts';
import { readMeasurements, tooFewText } from '../../src/decide/blocks.ts';
import { blocks, repeated } from './builders.ts';

const RULE = {
  isWhole: ([pairs, slower]: PairCounts) => slower <= pairs,
  isEnough: ([pairs]: PairCounts) => pairs >= 20,
};

t.test('the newest block may still grow and does not count', async (t) => {
  const read = readMeasurements<PairCounts>({ '10:7': [40, 1], '10:8': [40, 2] }, RULE);
  t.same(read, { counts: [[40, 1]], eachMs: 10 });
  t.same(readMeasurements<PairCounts>({ '10:7': [40, 1] }, RULE)?.counts, []);
  t.same(readMeasurements(undefined, RULE), { counts: [], eachMs: undefined });
});

t.test('blocks of sparse traffic join until there is enough, in the order of time', async (t) => {
  const sparse: Record<string, PairCounts> = {
    '10:10': [8, 2],
    '10:9': [15, 1],
    '10:8': [30, 0],
    '10:20': [9, 9],
    '10:30': [1, 0],
  };
  const read = readMeasurements<PairCounts>(sparse, RULE);
  t.same(read?.counts, [
    [30, 0],
    [23, 3],
  ]);
  t.equal(read?.eachMs, 110, 'one of 10 ms, one of 110 ms');
});

t.test('an idle night between two blocks does not make each of them hours long', async (t) => {
  const night = Object.fromEntries(
    [100, 101, 102, 103, 3_000_000, 3_000_001].map((at) => [`10:${at}`, [20, 1] as const]),
  );
  t.equal(readMeasurements<PairCounts>(night, RULE)?.eachMs, 10);
});

t.test('blocks that are not what they should be decide nothing', async (t) => {
  const broken: readonly Record<string, PairCounts>[] = [
    { half: [20, 1] },
    { '10:1.5': [20, 1] },
    { '10:1': [20, 21] },
    { '10:1': [20, Number.NaN] },
    { '10:1': [20, -1] },
    { '10:1': [0.5, 0] },
  ];
  for (const each of broken) t.equal(readMeasurements(each, RULE), undefined, JSON.stringify(each));
});

t.test('what is missing is said in blocks and in time', async (t) => {
  const read = readMeasurements<PairCounts>(blocks(repeated(7, [20, 0])), RULE);
  t.equal(read && tooFewText(read, 24), '7 of 24 blocks of time seen, about 85 s more');
});
