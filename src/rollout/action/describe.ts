import type { RolloutSpec, Step } from '../../core/rollout.ts';
import { countText, durationText } from '../../core/text.ts';
import type { MetricStatus } from '../../core/verdict.ts';
import { metricLabel } from '../../decide/metric-plans.ts';

/** `step 3 of 7`: counted from one. */
export function stepText(spec: RolloutSpec, step: number): string {
  return `step ${step + 1} of ${spec.steps.length}`;
}

/** What a step does, in a few words. */
export function stepTask(step: Step): string {
  switch (step.kind) {
    case 'setMirror':
      return `mirror ${step.percentage} % of the traffic to the candidate, ${step.twin} % of that to the twin`;
    case 'setWeight':
      return `${step.percent} % of the traffic to the candidate${step.control ? ', as much to control' : ''}`;
    case 'analysis':
      return `prove ${step.require.join(', ')}`;
    case 'pause':
      return step.durationMs === undefined
        ? 'pause until resumed'
        : `pause for ${durationText(step.durationMs)}`;
    case 'promote':
      return promoteTask(step);
  }
}

function promoteTask({ holdback }: Extract<Step, { kind: 'promote' }>): string {
  if (holdback === undefined) return 'promote';
  const { percent, durationMs } = holdback;
  return `promote, with ${percent} % held back on the former version for ${durationText(durationMs)}`;
}

/** `labelledLoss{tone=dark}: 1,240 samples, about 800 more`, or what is missing. */
export function needText(status: MetricStatus): string {
  const label = metricLabel(status);
  const { msToGo } = status;
  const samples = `${countText(status.samples)} ${msToGo === undefined ? 'samples' : 'blocks of time'}`;
  if (status.missing !== undefined) return `${label}: ${samples}, ${status.missing}`;
  if (typeof status.samplesToGo !== 'number')
    return `${label}: ${samples}, cannot say how many more`;
  const more = msToGo === undefined ? countText(status.samplesToGo) : durationText(msToGo);
  return `${label}: ${samples}, about ${more} more`;
}

/** `errors: 41 of candidate, 3 of reference in 812 samples, margin ...`: the numbers that a metric was found worse on. */
export function harmText(status: MetricStatus): string {
  const events = `${countText(status.candidateEvents)} bad of candidate, ${countText(status.referenceEvents)} of reference`;
  const estimate =
    typeof status.estimate === 'number' ? `, measured ${status.estimate.toPrecision(3)}` : '';
  return `${metricLabel(status)}: ${events} in ${countText(status.samples)} samples${estimate}, margin ${status.margin}`;
}
