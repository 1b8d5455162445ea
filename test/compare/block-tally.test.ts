import fc from 'fast-check';
import t from 'tap';
import { BLOCKS_MAX, BlockTally, mergeBlocks } from '../../src/compare/block-tally.ts';
import type { BlockCounts, PairCounts } from '../../src/core/evidence.ts';

type Blocks = BlockCounts<PairCounts>;

function tallyOf(
  moments: readonly number[],
  from: Blocks = {},
  lengthMs = 10,
): BlockTally<PairCounts> {
  const tally = new BlockTally<PairCounts>(lengthMs, from);
  for (const atMs of moments) tally.add(atMs, [1, atMs % 2]);
  return tally;
}

function sumOf(blocks: Blocks): PairCounts {
  return Object.values(blocks).reduce<PairCounts>(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
}

t.test('counts fall into the block of their moment', async (t) => {
  const blocks = tallyOf([1_001, 1_009, 1_010, 1_035]).snapshot();
  t.same(blocks, { '10:100': [2, 2], '10:101': [1, 0], '10:103': [1, 1] });
});

t.test('a block that has ended does not grow, even if a moment goes back', async (t) => {
  t.same(tallyOf([1_001, 1_011, 1_003]).snapshot(), { '10:100': [1, 1], '10:101': [2, 2] });
});

t.test('a block that a restart cut goes on', async (t) => {
  const before = tallyOf([1_001, 1_011]).snapshot();
  t.same(
    tallyOf([1_012, 1_021], before).snapshot(),
    tallyOf([1_001, 1_011, 1_012, 1_021]).snapshot(),
  );
});

t.test('blocks stay few: all become twice as long, and no count is lost', async (t) => {
  const moments = Array.from({ length: 5 * BLOCKS_MAX }, (_, at) => at * 10 + 1);
  const blocks = tallyOf(moments).snapshot();
  t.ok(Object.keys(blocks).length <= BLOCKS_MAX);
  t.ok(Object.keys(blocks).every((key) => key.startsWith('80:')));
  t.same(sumOf(blocks), [5 * BLOCKS_MAX, 5 * BLOCKS_MAX]);
  const resumed = tallyOf([5 * BLOCKS_MAX * 10], blocks).snapshot();
  t.ok(
    Object.keys(resumed).every((key) => key.startsWith('80:')),
    'and stay so after a restart',
  );
});

t.test('blocks merge in any order and of any lengths', async (t) => {
  const anyBlocks = fc
    .record({
      moments: fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 30 }),
      lengthMs: fc.constantFrom(10, 20, 40),
    })
    .map(({ moments, lengthMs }) =>
      tallyOf(
        moments.sort((a, b) => a - b),
        {},
        lengthMs,
      ).snapshot(),
    );
  fc.assert(
    fc.property(anyBlocks, anyBlocks, anyBlocks, (a, b, c) => {
      t.same(mergeBlocks(a, b), mergeBlocks(b, a));
      t.same(mergeBlocks(mergeBlocks(a, b), c), mergeBlocks(a, mergeBlocks(b, c)));
      t.same(mergeBlocks(a, {}), a);
      const [[pairs, slower], [x, y], [z, w]] = [mergeBlocks(a, b), a, b].map(sumOf) as [
        PairCounts,
        PairCounts,
        PairCounts,
      ];
      t.same([pairs, slower], [x + z, y + w]);
    }),
    { numRuns: 40 },
  );
  const half = (from: number): Blocks =>
    tallyOf(Array.from({ length: BLOCKS_MAX }, (_, at) => (from + at) * 10)).snapshot();
  const merged = mergeBlocks(half(0), half(BLOCKS_MAX));
  t.equal(Object.keys(merged).length, BLOCKS_MAX);
});
