import t from 'tap';
import { DEFAULT_MARGINS } from '../../src/config/defaults.ts';
import type { PairCounts } from '../../src/core/evidence.ts';
import { seededRandom } from '../../src/core/random.ts';
import { decide } from '../../src/decide/decide.ts';
import type { Judgement } from '../../src/decide/judgement.ts';
import { judgePairedLatency } from '../../src/decide/paired-latency.ts';
import { aSpec, blocks, goodEvidence, repeated } from './builders.ts';

const SPEC = aSpec({ margins: DEFAULT_MARGINS });
const NEEDED = Math.log(100);

function judgementOf(counts: readonly PairCounts[]): Judgement {
  return judgePairedLatency(goodEvidence({ latencyBlocks: blocks(counts, 10_000) }), SPEC);
}

function harmOf({ proof }: Judgement): number {
  return proof.kind === 'evidence' ? proof.logHarm : 0;
}

/** Pairs that are slower in runs of so many, a fifth of them in all, by blocks of 20. */
function stalls(pairsInRow: number, count: number, seed: number): readonly PairCounts[] {
  const random = seededRandom(seed);
  let [isSlower, left] = [false, 0];
  return Array.from({ length: count }, () => {
    let slower = 0;
    for (let at = 0; at < 20; at += 1) {
      if (left === 0) [isSlower, left] = [random.unit() < 0.2, pairsInRow];
      left -= 1;
      slower += Number(isSlower);
    }
    return [20, slower];
  });
}

t.test('nine slower pairs in a row prove nothing', async (t) => {
  const judged = judgementOf([[9, 9]]);
  t.equal(harmOf(judged), 0);
  t.match(judged.proof, { kind: 'missing' });
  t.equal(harmOf(judgementOf([[9, 9], ...repeated(20, [20, 2] as const)])) >= NEEDED, false);
});

t.test('a candidate that is always slower is rejected after eighteen blocks', async (t) => {
  t.ok(harmOf(judgementOf(repeated(18, [20, 20]))) >= NEEDED);
  t.match(judgementOf(repeated(17, [20, 20])).proof, {
    why: '17 of 18 blocks of time seen, about 10 s more',
  });
});

t.test(
  'stalls that slow down a fifth of the pairs are not taken for a slower candidate',
  async (t) => {
    for (const pairsInRow of [5, 20, 100]) {
      const runs = 30;
      let wrong = 0;
      for (let seed = 1; seed <= runs; seed += 1) {
        const seen = stalls(pairsInRow, 80, seed);
        const isWrong = seen.some((_, at) => harmOf(judgementOf(seen.slice(0, at + 1))) >= NEEDED);
        if (isWrong) wrong += 1;
      }
      t.ok(wrong <= 2, `rows of ${pairsInRow}: wrong in ${wrong} of ${runs} runs`);
    }
  },
);

t.test('as long as more than half of the pairs are slower, nothing passes in shadow', async (t) => {
  const verdictOn = (slower: number) => {
    const latencyBlocks = blocks(repeated(20, [50, slower] as const), 10_000);
    const evidence = goodEvidence({ latencyBlocks });
    return decide({ evidence, spec: aSpec(), require: ['disagreement'] });
  };
  t.equal(verdictOn(24).kind, 'pass');
  t.match(verdictOn(28), {
    kind: 'inconclusive',
    reasons: [
      'pairedLatency, which may reject: slower in 56.0 % of the pairs of the last 12 blocks',
    ],
  });
  t.equal(verdictOn(50).kind, 'fail');
});

t.test('a candidate that becomes slower late is rejected, and does not pass before', async (t) => {
  const healthy = repeated(120, [50, 20] as const);
  const slower = (count: number) => [...healthy, ...repeated(count, [50, 45] as const)];
  t.ok(harmOf(judgementOf(healthy)) < NEEDED);
  t.match(judgementOf(slower(12)).proof, { held: /^slower in 90.0 % of the pairs of the last 12/ });
  t.ok(harmOf(judgementOf(slower(60))) >= NEEDED);
});
