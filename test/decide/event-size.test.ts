import t from 'tap';
import { type Evidence, NO_EVIDENCE } from '../../src/core/evidence.ts';
import { judgeErrors } from '../../src/decide/errors.ts';
import { eventClaims } from '../../src/decide/event-size.ts';
import { judgePairedErrors } from '../../src/decide/paired-errors.ts';
import { logEvidence } from '../../src/stats/mixture.ts';
import { anExposure, aSpec, failedPairs, goodEvidence, sharesOf } from './builders.ts';

const CLAIM = { ratio: 2, absolute: 0.004 };
/** 1,000 units, of which some failed, and 1,100 requests, of which some did. */
const events = (bad: number, failed: number) => ({
  units: 1_000,
  bad,
  requests: 1_100,
  failed,
});

t.test('where each failure is an event of its own the claim stays as it is', async (t) => {
  const alone = { units: 1_000, bad: 10, requests: 1_000, failed: 10 };
  t.same(eventClaims({ candidate: alone, reference: alone }, CLAIM), { harm: CLAIM, safe: CLAIM });
  const none = events(0, 0);
  t.same(eventClaims({ candidate: none, reference: none }, CLAIM), { harm: CLAIM, safe: CLAIM });
});

t.test('an event that takes eight requests along allows an eighth of the events', async (t) => {
  const eight = { units: 1_000, bad: 10, requests: 1_000, failed: 80 };
  const one = { units: 1_000, bad: 10, requests: 1_000, failed: 10 };
  const mine = eventClaims({ candidate: eight, reference: one }, CLAIM);
  t.same(mine.safe, { ratio: CLAIM.ratio / 8, absolute: CLAIM.absolute / 8 });
  t.same(mine.harm, CLAIM, 'harm is never found sooner than by the claim');
  const other = eventClaims({ candidate: one, reference: eight }, CLAIM);
  t.same(other.safe, { ratio: CLAIM.ratio, absolute: CLAIM.absolute / 8 });
  t.same(other.harm, { ...CLAIM, ratio: 8 * CLAIM.ratio });
});

t.test('failures without an event of their own count as one event', async (t) => {
  const covered = { units: 1_000, bad: 0, requests: 1_000, failed: 4 };
  const { safe } = eventClaims({ candidate: covered, reference: events(0, 0) }, CLAIM);
  t.equal(safe.absolute, CLAIM.absolute / 4);
});

t.test('a candidate that fails whole batches is proven by events, not by requests', async (t) => {
  const units = { units: 4_000, errors: 4 };
  const live = { '5000:5000': anExposure(units, units) };
  const safeAt = (failed: number): number => {
    const felt = { requests: 4_000, failed };
    const liveFelt = { '5000:5000': { candidate: felt, reference: felt } };
    const evidence = goodEvidence({ live, liveErrors: sharesOf(live), liveFelt });
    const { proof } = judgeErrors(evidence, aSpec());
    return proof.kind === 'evidence' ? logEvidence(proof.safe ?? []) : 0;
  };
  t.ok(safeAt(4) > 3, 'each failure alone');
  t.ok(safeAt(32) < safeAt(4) - 1, 'eight at a time');
});

t.test('an incident of the reference does not hide a candidate that fails', async (t) => {
  const harmOf = (units: number, failing: number, incident: number): number => {
    const candidate = { units, errors: units * failing };
    const live = { '5000:5000': anExposure(candidate, { units, errors: 1 }) };
    const liveFelt = {
      '5000:5000': {
        candidate: { requests: units, failed: candidate.errors },
        reference: { requests: units + incident, failed: incident },
      },
    };
    const evidence = goodEvidence({ live, liveErrors: sharesOf(live), liveFelt });
    const { proof } = judgeErrors(evidence, aSpec());
    return proof.kind === 'evidence' ? proof.logHarm : 0;
  };
  const needed = Math.log(5 / 0.05);
  t.ok(harmOf(200, 1, 300) > needed, `all of 200 requests: ${harmOf(200, 1, 300)}`);
  t.ok(harmOf(1_000, 0.2, 200) > needed, `a fifth of 1,000: ${harmOf(1_000, 0.2, 200)}`);
  t.ok(harmOf(150, 0.02, 200) < 1, 'as few as a batch of them would excuse');
});

t.test('the size of events is that of the requests that are judged', async (t) => {
  const batches = { units: 4_000, errors: 4 };
  const fine = { units: 40_000, errors: 0 };
  const felt = (requests: number, failed: number) => ({ requests, failed });
  const feltAt = {
    '5000:5000': { candidate: felt(4_028, 32), reference: felt(4_028, 32) },
    '500:9500': { candidate: felt(40_000, 0), reference: felt(760_000, 0) },
  };
  const safeAfter = (live: Evidence['live']): number => {
    const liveFelt = Object.fromEntries(
      Object.entries(feltAt).filter(([exposure]) => live[exposure] !== undefined),
    );
    const evidence = goodEvidence({ live, liveErrors: sharesOf(live), liveFelt });
    const { proof } = judgeErrors(evidence, aSpec());
    return proof.kind === 'evidence' ? logEvidence(proof.safe ?? []) : 0;
  };
  const even = { '5000:5000': anExposure(batches, batches) };
  const uneven = { ...even, '500:9500': anExposure(fine, { units: 760_000, errors: 0 }) };
  t.equal(safeAfter(uneven), safeAfter(even), 'requests at unequal shares are in no claim');
});

t.test('a run that fails in shadow is one event, and its pairs are still felt', async (t) => {
  const pairedFailures = failedPairs([0, 0, 3_000], [1, 0, 2]);
  const proofAt = (candidate: number) => {
    const pairedFelt = { pairs: 3_000 + candidate, candidate, reference: 0 };
    const { proof } = judgePairedErrors({ ...NO_EVIDENCE, pairedFailures, pairedFelt }, aSpec());
    if (proof.kind !== 'evidence') throw new Error('expected evidence');
    return { ...proof, logSafe: logEvidence(proof.safe ?? []) };
  };
  const [alone, whole] = [proofAt(2), proofAt(16)];
  t.ok(alone.logSafe > whole.logSafe + 1, `${alone.logSafe} and ${whole.logSafe}`);
  t.equal(alone.held, undefined);
  t.match(proofAt(60).held, /were failed by the candidate, whole runs .* included, at most 1 %/);
});
