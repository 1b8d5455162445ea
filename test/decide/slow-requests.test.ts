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

/** The candidate is as slow as the reference up to a block, and slow in this share of its requests from there on. */
const lateAt =
  (change: number, share: number): Noise =>
  (at) => ({ candidate: at < change ? 0.01 : share, reference: 0.01 });

t.test('a candidate that becomes slow late is proven worse within minutes', async (t) => {
  for (const [change, share, within] of [
    [60, 0.2, 84],
    [360, 0.2, 84],
    [120, 0.5, 60],
  ] as const) {
    const judged = judgementOf(world(change + within, lateAt(change, share)));
    t.ok(evidenceOf(judged).harm >= NEEDED, `${share} after ${change} blocks`);
  }
  t.ok(evidenceOf(judgementOf(world(120, lateAt(120, 0.2)))).harm < NEEDED, 'and not before');
});

t.test('what was shown before a candidate became slow proves nothing a minute later', async (t) => {
  const healthy = world(150, lateAt(150, 0.2));
  t.ok(evidenceOf(judgementOf(healthy)).safe >= Math.log(20));
  const { proof } = judgementOf(world(154, lateAt(150, 0.2)));
  t.match(proof, { held: /^in the last 12 blocks .* of the candidate's requests were slow/ });
});

t.test('a reference that wanders by itself makes no late harm', async (t) => {
  const runs = 12;
  let wrong = 0;
  for (let seed = 1; seed <= runs; seed += 1) {
    const random = seededRandom(100 + seed);
    let level = 0;
    const wandering: Noise = () => {
      level = 0.9 * level + 0.4 * (random.unit() + random.unit() - 1);
      return { candidate: 0.01, reference: 0.01 * Math.exp(level) };
    };
    const counts = world(300, wandering, seed);
    const looks = [60, 120, 180, 240, 300].map((until) => judgementOf(counts.slice(0, until)));
    if (looks.some((judged) => evidenceOf(judged).harm >= NEEDED)) wrong += 1;
  }
  t.equal(wrong, 0);
});

t.test('harm is seen where the reference itself is slow in a fifth of its requests', async (t) => {
  const busy =
    (candidate: number): Noise =>
    () => ({ candidate, reference: 0.2 });
  t.ok(evidenceOf(judgementOf(world(150, busy(0.6)))).harm >= NEEDED);
  t.ok(evidenceOf(judgementOf(world(150, busy(0.2)))).safe >= Math.log(20));
});

t.test('a candidate that becomes slow little by little is proven worse on the way', async (t) => {
  // From a hundredth to a fifth within 20 minutes, after five healthy ones.
  const ramp: Noise = (at) => ({
    candidate: 0.01 + 0.19 * Math.min(1, Math.max(0, (at - 60) / 240)),
    reference: 0.01,
  });
  t.ok(evidenceOf(judgementOf(world(300, ramp))).harm >= NEEDED);
  t.ok(evidenceOf(judgementOf(world(90, ramp))).harm < NEEDED, 'and not while it is within it');
});
