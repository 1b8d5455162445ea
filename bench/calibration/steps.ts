import type { Step } from '../../src/core/rollout.ts';
import type { MetricName } from '../../src/core/verdict.ts';

/** Half of the traffic to the candidate, until these metrics are proven. */
export function atHalf(...metrics: readonly MetricName[]): readonly Step[] {
  return [{ kind: 'setWeight', percent: 50, control: false }, ...provenBy(metrics)];
}

/** Growing weights, the first of them beside a control, then the proof of these metrics. */
export function growing(...metrics: readonly MetricName[]): readonly Step[] {
  return [
    { kind: 'setWeight', percent: 5, control: true },
    { kind: 'setWeight', percent: 25, control: true },
    { kind: 'setWeight', percent: 50, control: false },
    ...provenBy(metrics),
  ];
}

/** All of the traffic mirrored, all of it twinned, until these metrics are proven. */
export function inShadow(...metrics: readonly MetricName[]): readonly Step[] {
  return [{ kind: 'setMirror', percentage: 100, twin: 100 }, ...provenBy(metrics)];
}

/** In shadow, where `rejecting` can only reject. */
export function inShadowRejecting(
  metrics: readonly MetricName[],
  ...rejecting: readonly MetricName[]
): readonly Step[] {
  return [
    { kind: 'setMirror', percentage: 100, twin: 100 },
    { kind: 'analysis', require: metrics, reject: rejecting },
    { kind: 'promote' },
  ];
}

function provenBy(metrics: readonly MetricName[]): readonly Step[] {
  return [{ kind: 'analysis', require: metrics, reject: [] }, { kind: 'promote' }];
}

/** All of the traffic mirrored until labels prove the candidate. */
export function labelled(): readonly Step[] {
  return [{ kind: 'setMirror', percentage: 100, twin: 0 }, ...provenBy(['labelledLoss'])];
}
