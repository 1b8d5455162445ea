import t from 'tap';
import { NO_EVIDENCE } from '../../src/core/evidence.ts';
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
