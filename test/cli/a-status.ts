import { NO_EVIDENCE } from '../../src/core/evidence.ts';
import type { RolloutStatus } from '../../src/rollout/status.ts';
import type { RolloutSummary } from '../../src/rollout/summary.ts';

type Metric = RolloutStatus['metrics'][number];

/** A rollout in its second step, as the admin API gives it. */
export function aRolloutStatus(fields: Partial<RolloutStatus> = {}): RolloutStatus {
  return {
    id: 'fashion-2-1',
    model: 'fashion',
    stable: '1',
    candidate: '2',
    intent: 'improve',
    claim: 'noWorse',
    phase: 'progressing',
    step: { number: 2, of: 7, kind: 'analysis', task: 'prove labelledLoss, pairedErrors' },
    setWeightBp: 0,
    actualWeightBp: 0,
    verdict: 'inconclusive',
    metrics: [aMetric()],
    reported: [],
    reasons: [],
    attempt: undefined,
    anchor: undefined,
    decidedBy: [],
    why: 'labelledLoss: 1,240 samples, about 800 more',
    candidateRequests: 0,
    minRequests: 150,
    mirror: { ...NO_EVIDENCE.mirror, eligible: 1_300, notSampled: 0, compared: 1_287 },
    mirrorHealth: undefined,
    labels: { joined: 1_240, unmatched: 3 },
    failures: { candidate: {}, reference: {} },
    labelling: undefined,
    startedMs: 0,
    endedMs: undefined,
    durationMs: 12_000,
    maxDurationMs: 3_600_000,
    maxSamples: undefined,
    digests: { stable: 'aa', candidate: 'bb' },
    record: 17,
    headHash: '0123456789abcdef0123456789abcdef',
    onRecord: true,
    ledger: 'healthy',
    ...fields,
  };
}

export function aMetric(fields: Partial<Metric> = {}): Metric {
  return {
    metric: 'labelledLoss',
    slice: undefined,
    label: 'labelledLoss',
    finding: 'undecided',
    role: 'gate',
    logHarm: 0,
    logHarmNeeded: 3,
    logSafe: 1,
    logSafeNeeded: 3,
    samples: 1_240,
    candidateEvents: 90,
    referenceEvents: 120,
    estimate: -0.0242,
    margin: '0.03',
    limit: 0.02,
    samplesToGo: 800,
    missing: undefined,
    ...fields,
  };
}

/** A promoted rollout, in a list. */
export function aSummary(fields: Partial<RolloutSummary> = {}): RolloutSummary {
  return {
    ...{ id: 'fashion-2-1', model: 'fashion', stable: '1', candidate: '2' },
    ...{ intent: 'improve', claim: 'noWorse', phase: 'promoted', verdict: 'pass' },
    ...{ endedBy: 'evidence', decidedBy: [], why: 'wrong build', startedMs: 0, endedMs: 9 },
    ...{ durationMs: 9, digests: { stable: 'aa', candidate: 'bb' }, record: 17 },
    headHash: '0123456789abcdef0123456789abcdef',
    ...fields,
  };
}
