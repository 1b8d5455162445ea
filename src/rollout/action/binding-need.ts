import { COUNTED_UNITS_MAX, type Evidence, sliceKey } from '../../core/evidence.ts';
import type { Rollout } from '../../core/rollout.ts';
import { countText, durationText } from '../../core/text.ts';
import {
  METRIC_PHASE,
  type MetricName,
  type MetricStatus,
  type Verdict,
} from '../../core/verdict.ts';
import { isCoverageKnown } from '../../decide/coverage.ts';
import { metricLabel } from '../../decide/metric-plans.ts';
import { candidateRequests } from './advance.ts';

/** What a rollout is found in, as far as it says what it waits for. `nowMs` is wall-clock milliseconds. */
export type Found = {
  readonly rollout: Rollout;
  readonly verdict: Verdict;
  readonly evidence: Evidence;
  readonly nowMs: number;
};

/**
 * The one thing that a rollout waits for longest, with what to do about it; a status has the rest. First what no waiting brings: a
 * metric that cannot be judged, too little coverage, an estimate that more samples will not prove. Then what takes the most time,
 * and where the time is not known, the most samples.
 */
export function bindingText(found: Found, open: readonly MetricStatus[]): string {
  const labels = open.map((status) => `${metricLabel(status)}:`);
  const others = found.verdict.reasons.filter(
    (reason) => !labels.some((label) => reason.startsWith(label)),
  );
  if (isBeforeTraffic(found, open)) return NO_REQUEST;
  const needs = [
    ...open.map((status) => needOf(found, status)),
    ...others.map((text) => ({ text, rank: isCoverageKnown(found.evidence.mirror) ? 2 : 0 })),
  ];
  const [first, ...rest] = needs;
  if (first === undefined) return 'nothing: all that was asked for is proven';
  return rest.reduce<Need>((most, need) => (binds(need, most) ? need : most), first).text;
}

const NO_REQUEST = 'no request has come that could be compared. Send requests to the model.';

/** Nothing else is known yet of what is measured in shadow. */
function isBeforeTraffic({ evidence }: Found, open: readonly MetricStatus[]): boolean {
  return evidence.mirror.eligible === 0 && open.some(isOfShadow);
}

function isOfShadow({ metric, missing }: MetricStatus): boolean {
  return METRIC_PHASE[metric] === 'shadow' && missing !== undefined;
}

/** A higher rank binds first; then what takes longer, and then what takes more samples. */
type Need = {
  readonly text: string;
  readonly rank: number;
  readonly ms?: number;
  readonly samples?: number;
};

function binds(a: Need, b: Need): boolean {
  if (a.rank !== b.rank) return a.rank > b.rank;
  if ((a.ms ?? 0) !== (b.ms ?? 0)) return (a.ms ?? 0) > (b.ms ?? 0);
  return (a.samples ?? 0) > (b.samples ?? 0);
}

function needOf(found: Found, status: MetricStatus): Need {
  const label = metricLabel(status);
  const { missing, samplesToGo, estimate, claim } = status;
  const users = usersOf(found, status);
  const orElse =
    claim === 'superior' ? 'try it with claim: noWorse' : `widen margins.${marginOf(status)}`;
  if (missing !== undefined) return { text: `${label}: ${missing}${labelsHint(status)}`, rank: 3 };
  if (users === 'full') {
    const counted = countText(COUNTED_UNITS_MAX);
    return {
      text: `${label}: ${counted} returning users have counted, and no more can in one rollout. Abort, or ${orElse}.`,
      rank: 1.5,
    };
  }
  if (typeof samplesToGo !== 'number') {
    const at = typeof estimate === 'number' ? ` of ${estimate.toPrecision(3)}` : '';
    return {
      text: `${label}: more samples will not prove it at the present estimate${at}. Abort, or ${orElse}.`,
      rank: 1.5,
    };
  }
  const ms = status.msToGo ?? msToGo(found, status, samplesToGo);
  const time = ms === undefined ? '' : ` (${durationText(ms)} at this rate)`;
  const amount =
    status.msToGo === undefined
      ? `~${countText(samplesToGo)} more ${users === undefined ? UNITS[status.metric] : users}${time}`
      : `~${durationText(status.msToGo)} more of traffic`;
  return {
    text: `${label} needs ${amount}. ${ADVICE[status.metric](status)}, or ${orElse}.`,
    rank: 1,
    samples: samplesToGo,
    ...(ms !== undefined && { ms }),
  };
}

/** Where users return, requests of those who have counted bring the proof no nearer; `full`: no further user can count. */
function usersOf({ evidence }: Found, { metric, samples }: MetricStatus): string | undefined {
  const levels = Object.keys(evidence.liveUnits ?? {}).length;
  if (metric !== 'errors' || levels === 0) return undefined;
  if (levels >= UNIT_LEVELS && samples >= COUNTED_UNITS_MAX) return 'full';
  return `distinct users (${countText(samples)} have counted, each once)`;
}

/** Of the filter of counted units, when it is full. */
const UNIT_LEVELS = 4;

/** What samples of a metric are. */
export const UNITS: Readonly<Record<MetricName, string>> = {
  disagreement: 'pairs',
  pairedErrors: 'pairs',
  pairedLatency: 'samples',
  labelledLoss: 'labels',
  errors: 'live requests',
  slowRequests: 'samples',
  liveLoss: 'labels',
  anchorLoss: 'labels',
};

/** What brings the samples sooner. */
const ADVICE: Readonly<Record<MetricName, (status: MetricStatus) => string>> = {
  disagreement: () => 'Raise twin in setMirror',
  pairedErrors: () => 'Raise percentage in setMirror',
  pairedLatency: () => 'Raise twin in setMirror',
  labelledLoss: ({ slice }) =>
    slice === undefined ? 'Send labels sooner' : `Label ${sliceKey(slice)} first`,
  errors: () => 'Wait, raise percent in setWeight',
  slowRequests: () => 'Wait',
  liveLoss: () => 'Send labels sooner',
  anchorLoss: () => 'Send labels sooner, raise anchor.share',
};

/** Both losses and that of live answers have one margin. */
function marginOf({ metric }: MetricStatus): MetricName {
  return metric === 'anchorLoss' || metric === 'liveLoss' ? 'labelledLoss' : metric;
}

/** Where labels do come, but none of a slice, and where none come at all. What else is missing says itself what to do. */
function labelsHint({ metric, slice, missing }: MetricStatus): string {
  if (metric !== 'labelledLoss' && metric !== 'anchorLoss') return '';
  if (slice !== undefined && missing?.startsWith('slice empty') === true)
    return `. Label requests with ${sliceKey(slice)}.`;
  return missing === 'no labels' ? '. Send labels to /v1/feedback.' : '';
}

/**
 * How long the samples take at the pace so far: in shadow that of the whole trial, live that of the present step. Undefined
 * where nothing came yet.
 */
export function msToGo(found: Found, status: MetricStatus, toGo: number): number | undefined {
  const { rollout, evidence, nowMs } = found;
  if (METRIC_PHASE[status.metric] === 'shadow') {
    return whole((toGo * (nowMs - rollout.startedMs)) / status.samples);
  }
  const sinceMs = 'sinceMs' in rollout.phase ? rollout.phase.sinceMs : nowMs;
  const all = candidateRequests(evidence);
  const atStep = all - rollout.candidateRequestsAtStep;
  return whole((toGo * all * (nowMs - sinceMs)) / (status.samples * atStep));
}

function whole(ms: number): number | undefined {
  return Number.isFinite(ms) && ms > 0 ? Math.ceil(ms) : undefined;
}
