import t from 'tap';
import { DEFAULT_MARGINS } from '../../src/config/defaults.ts';
import type { SlowCounts } from '../../src/core/evidence.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Judgement } from '../../src/decide/judgement.ts';
import { judgeSlowRequests } from '../../src/decide/slow-requests.ts';
import { logEvidence } from '../../src/stats/mixture.ts';
import { anExposure, aSpec, blocks, goodEvidence } from './builders.ts';

const SPEC = aSpec({ margins: DEFAULT_MARGINS });
const NEEDED = Math.log(100);

function judgementOf(counts: readonly SlowCounts[]): Judgement {
  const sum = (at: 0 | 1 | 2 | 3) => counts.reduce((all, each) => all + each[at], 0);
  const live = {
    '500:500': anExposure({ units: sum(0), slow: sum(1) }, { units: sum(2), slow: sum(3) }),
  };
  return judgeSlowRequests(goodEvidence({ slowBlocks: blocks(counts), live }), SPEC);
}

/** Logarithms of the evidence for either side; nothing is evidence for nothing. */
function evidenceOf({ proof }: Judgement): { readonly harm: number; readonly safe: number } {
  if (proof.kind === 'missing') return { harm: 0, safe: 0 };
  const safe = proof.held === undefined && proof.safe ? logEvidence(proof.safe) : 0;
  return { harm: proof.logHarm, safe };
}

type Noise = (block: number) => { readonly candidate: number; readonly reference: number };

/** So many blocks of 200 requests an arm, of which the given shares are slow. */
function world(count: number, noise: Noise, seed = 7): readonly SlowCounts[] {
  const random = seededRandom(seed);
  const slow = (share: number): number => {
    let sum = 0;
    for (let at = 0; at < 200; at += 1) sum += Number(random.unit() < share);
    return sum;
  };
  return Array.from({ length: count }, (_, at) => {
    const { candidate, reference } = noise(at);
    return [200, slow(candidate), 200, slow(reference)];
  });
}

t.test('arms that are slow alike are proven no worse, in time', async (t) => {
  const alike: Noise = () => ({ candidate: 0.01, reference: 0.01 });
  t.ok(evidenceOf(judgementOf(world(150, alike))).safe >= Math.log(20));
  const early = judgementOf(world(20, alike));
  t.match(early.proof, { kind: 'missing', why: '20 of 24 blocks of time seen, about 20 s more' });
  t.equal(early.sampleMs, 5_000);
});

t.test('a candidate that is slow twenty times as often is proven worse', async (t) => {
  const judged = judgementOf(world(30, () => ({ candidate: 0.2, reference: 0.01 })));
  t.ok(evidenceOf(judged).harm >= NEEDED);
  t.equal(evidenceOf(judged).safe, 0);
});

t.test('stalls of either arm are no harm, however many requests they hold up', async (t) => {
  // Two blocks in a row in every twelve, now of one arm and now of the other.
  const stalls: Noise = (at) => ({
    candidate: at % 12 < 2 ? 0.9 : 0.001,
    reference: (at + 6) % 12 < 2 ? 0.9 : 0.001,
  });
  t.ok(evidenceOf(judgementOf(world(240, stalls))).harm < NEEDED);
});

t.test('one arm that is slow for minutes by itself is no harm yet', async (t) => {
  const spell: Noise = (at) => ({ candidate: at > 40 && at < 64 ? 0.05 : 0.01, reference: 0.01 });
  t.ok(evidenceOf(judgementOf(world(90, spell))).harm < NEEDED);
});

t.test('a stall that the cap hides holds the proof back', async (t) => {
  const rare: Noise = (at) => ({ candidate: at % 50 === 25 ? 0.9 : 0.01, reference: 0.01 });
  const { proof } = judgementOf(world(150, rare));
  t.match(proof, {
    held: /of the candidate's requests would be slow if its worst block came 2 times more/,
  });
});

t.test('units must show it as well: slow requests of few clients are no harm', async (t) => {
  const slowBlocks = blocks(world(60, () => ({ candidate: 0.2, reference: 0.01 })));
  const live = { '500:500': anExposure({ units: 30, slow: 6 }, { units: 30, slow: 1 }) };
  const judged = judgeSlowRequests(goodEvidence({ slowBlocks, live }), SPEC);
  t.ok(evidenceOf(judged).harm < NEEDED);
});
