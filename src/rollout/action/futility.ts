import { countText, durationText } from '../../core/text.ts';
import type { MetricStatus } from '../../core/verdict.ts';
import { metricLabel } from '../../decide/metric-plans.ts';
import { type Found, msToGo, UNITS } from './binding-need.ts';

/** The pace of samples says little before this part of the time is over: labels come late, and a night is quiet. */
const TIME_SEEN = 0.25;

/**
 * Why a rollout with a maximum of samples (`maxSamples`) is improbable to prove what it still has to, in a sentence; undefined: it may
 * be proven. Improbable within the maximum, or at today's rate within `maxDuration`: even if what comes turns out as much better than
 * what was seen as chance brings about once in forty times. The rollout then ends as `onInconclusive` says: it is neither promoted nor
 * held against the candidate.
 */
export function whyFutile(found: Found, open: readonly MetricStatus[]): string | undefined {
  const { maxSamples } = found.rollout.spec;
  if (maxSamples === undefined) return undefined;
  for (const status of open) {
    if (status.atBest === undefined) continue;
    const label = metricLabel(status);
    const seen = `${label} has seen ${countText(status.samples)} ${UNITS[status.metric]}`;
    if (status.atBest === 'futile')
      return `futile: ${seen}${needText(status)}, and the maximum is ${countText(maxSamples)} (maxSamples)`;
    const late = lateText(found, status, status.atBest.samplesToGo);
    if (late !== undefined) return `futile: ${seen}${needText(status)}, ${late}`;
  }
  return undefined;
}

function needText({ samplesToGo }: MetricStatus): string {
  return samplesToGo === undefined
    ? ', and at the present estimate more will not prove it'
    : `, ${countText(samplesToGo)} more are needed at the present estimate`;
}

/** Where even the fewest samples more take longer than the time that is left. */
function lateText(found: Found, status: MetricStatus, fewest: number): string | undefined {
  const { rollout, nowMs } = found;
  const { maxDurationMs, labels } = rollout.spec;
  const elapsedMs = nowMs - rollout.startedMs;
  if (elapsedMs < TIME_SEEN * maxDurationMs) return undefined;
  // The labels of the last window have not counted yet: a rate over all of the time would be too low.
  const waitedMs = status.metric === 'labelledLoss' ? (labels?.windowMs ?? 0) : 0;
  const neededMs = msToGo(found, status, fewest);
  if (neededMs === undefined || elapsedMs <= waitedMs) return undefined;
  const paceMs = neededMs * (1 - waitedMs / elapsedMs);
  const leftMs = maxDurationMs - elapsedMs;
  if (paceMs <= leftMs) return undefined;
  return `which takes ${durationText(Math.ceil(paceMs))} at least at this rate, and ${durationText(Math.max(0, Math.floor(leftMs)))} are left (maxDuration)`;
}
