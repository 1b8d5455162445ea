import * as z from 'zod';
import type { Step } from '../core/rollout.ts';
import { METRIC_PHASE, type MetricName, NAMED_METRICS } from '../core/verdict.ts';
import { expected, section } from './expected.ts';
import { duration, percent } from './quantities.ts';

const ONLY_REJECT: ReadonlySet<MetricName> = new Set<MetricName>(['pairedLatency']);

/** At this share the candidate and stable have the same. */
const EVEN_PERCENT = 50;

/** 90 days: who wants both versions for longer wants a route. */
const HOLDBACK_MS_MAX = 90 * 86_400_000;

const KINDS = 'setMirror, setWeight, analysis, pause or promote';

const metricNames = z.array(
  z.enum(NAMED_METRICS, { error: expected(`one of ${NAMED_METRICS.join(', ')}`) }),
  { error: expected('a list of metrics') },
);

const holdbackSchema = section({
  percent: percent.refine((share) => share > 0 && share <= EVEN_PERCENT, {
    error: expected('percent above 0 and at most 50'),
  }),
  for: duration.refine((ms) => ms <= HOLDBACK_MS_MAX, {
    error: expected('a duration of at most 90d'),
  }),
});

const stepSchema = section(
  {
    setMirror: section({ percentage: percent, twin: percent.default(0) }).optional(),
    setWeight: section({
      percent: percent.refine((share) => share > 0 && share < 100, {
        error: expected('percent above 0 and below 100'),
      }),
      control: z.boolean({ error: expected('true or false') }).optional(),
    }).optional(),
    analysis: section({
      require: z.literal('nonInferior', { error: expected('nonInferior') }).default('nonInferior'),
      metrics: metricNames.min(1, { error: 'expected at least one metric' }),
      reject: metricNames.default([]),
    }).optional(),
    pause: section({ duration: duration.optional() }).nullish(),
    promote: section({ holdback: holdbackSchema.optional() }).nullish(),
  },
  `a step: ${KINDS}`,
);

type StepAsWritten = 'pause' | 'promote' | z.output<typeof stepSchema>;

/** A list of steps that leads somewhere: every problem is reported at the step that has it. */
export const stepsSchema = z
  .array(
    z
      .union([z.enum(['pause', 'promote']), stepSchema], {
        error: expected(`a step: ${KINDS}`),
      })
      .transform(stepOf),
    { error: expected('a list of steps') },
  )
  .superRefine((steps, context) => {
    // A step that is wrong in itself would make its neighbours look wrong too.
    if (context.issues.length > 0) return;
    for (const { index, message } of stepProblems(steps)) {
      context.addIssue({ code: 'custom', path: index === undefined ? [] : [index], message });
    }
  });

function stepOf(written: StepAsWritten, context: z.core.$RefinementCtx): Step {
  if (written === 'promote') return { kind: 'promote' };
  if (written === 'pause') return { kind: 'pause', durationMs: undefined };
  if (context.issues.length > 0) return z.NEVER;
  const kinds = Object.keys(written);
  if (kinds.length !== 1) {
    const found = kinds.length === 0 ? 'none' : kinds.join(' and ');
    context.addIssue({ code: 'custom', message: `expected one of ${KINDS}, found ${found}` });
    return z.NEVER;
  }
  const { setMirror, setWeight, analysis, pause, promote } = written;
  if (setMirror) return { kind: 'setMirror', ...setMirror };
  if (setWeight) return weightOf(setWeight);
  if (analysis) return { kind: 'analysis', require: analysis.metrics, reject: analysis.reject };
  if ('pause' in written) return { kind: 'pause', durationMs: pause?.duration };
  if (!promote?.holdback) return { kind: 'promote' };
  const { percent: share, for: durationMs } = promote.holdback;
  return { kind: 'promote', holdback: { percent: share, durationMs } };
}

/**
 * A control wherever there is room for one, unless the step refuses it. Where the shares differ, pauses of an arm come as often in
 * a small arm as in a large one, and would look like more failures of the smaller one. At 50 percent stable would be the reference,
 * which no pause of the gateway spares requests as it spares those of an arm on trial.
 */
function weightOf({
  percent,
  control = percent <= EVEN_PERCENT,
}: {
  readonly percent: number;
  readonly control?: boolean | undefined;
}): Step {
  return { kind: 'setWeight', percent, control };
}

type StepProblem = { readonly index: number | undefined; readonly message: string };

function stepProblems(steps: readonly Step[]): readonly StepProblem[] {
  const problems: StepProblem[] = [];
  const promotes = steps.findIndex((step) => step.kind === 'promote');
  if (promotes === -1) problems.push({ index: undefined, message: 'expected a last step promote' });
  if (promotes !== -1 && promotes < steps.length - 1) {
    problems.push({ index: promotes, message: 'expected promote to be the last step' });
  }
  if (!steps.some((step) => step.kind === 'analysis')) {
    problems.push({
      index: undefined,
      message: 'expected an analysis: nothing else proves a claim',
    });
  }
  steps.forEach((step, index) => {
    const message = problemOf(step, steps.slice(0, index));
    if (message !== undefined) problems.push({ index, message });
  });
  return problems;
}

/** What is wrong with a step, given those before it. */
function problemOf(step: Step, before: readonly Step[]): string | undefined {
  if (step.kind === 'setWeight') return weightProblem(step, before);
  if (step.kind !== 'analysis') return undefined;
  const mirrored = before.some(({ kind }) => kind === 'setMirror');
  const exposed = before.some(({ kind }) => kind === 'setWeight');
  for (const metric of [...step.require, ...step.reject]) {
    if (METRIC_PHASE[metric] === 'shadow' && !mirrored) {
      return `expected a setMirror before an analysis of ${metric}, which needs mirrored pairs`;
    }
    if (METRIC_PHASE[metric] === 'canary' && !exposed) {
      return `expected a setWeight before an analysis of ${metric}, which needs live traffic`;
    }
  }
  const unequal = shareProblem([...step.require, ...step.reject].find(isLive), before);
  if (unequal !== undefined) return unequal;
  const twinned = before.some((earlier) => earlier.kind === 'setMirror' && earlier.twin > 0);
  if ([...step.require, ...step.reject].includes('pairedLatency') && !twinned) {
    return 'expected a setMirror with twin above 0 before an analysis of pairedLatency';
  }
  const onlyRejects = step.require.find((metric) => ONLY_REJECT.has(metric));
  return onlyRejects === undefined
    ? undefined
    : `expected ${onlyRejects} under reject: it can refuse a candidate and never prove one`;
}

/** Live metrics compare arms of one share. */
function shareProblem(metric: MetricName | undefined, before: readonly Step[]): string | undefined {
  if (metric === undefined) return undefined;
  const weights = before.filter((step) => step.kind === 'setWeight');
  const smaller = weights.find(({ percent, control }) => !control && percent < EVEN_PERCENT);
  if (smaller !== undefined) {
    return `expected control: true at ${smaller.percent} percent before an analysis of ${metric}, found control: false: only arms of one share are compared. Leave control out, or set 50 percent`;
  }
  return weights.some(({ percent }) => percent <= EVEN_PERCENT)
    ? undefined
    : `expected a setWeight of at most 50 percent before an analysis of ${metric}: only arms of one share are compared`;
}

function isLive(metric: MetricName): boolean {
  return METRIC_PHASE[metric] === 'canary';
}

function weightProblem(
  step: Extract<Step, { kind: 'setWeight' }>,
  before: readonly Step[],
): string | undefined {
  if (step.control && step.percent * 2 > 100) {
    return `expected at most 50 percent beside a control of the same weight, found ${step.percent}`;
  }
  const smaller = before.find(
    (earlier) => earlier.kind === 'setWeight' && earlier.percent > step.percent,
  );
  return smaller ? `expected the weights to grow, found ${step.percent} after more` : undefined;
}
