import { ATTEMPT_DAYS } from '../core/attempt.ts';
import { chosenText, counted, countText, durationText, percentText } from '../core/text.ts';
import type { Plan } from '../rollout/plan/plan.ts';
import { formatTable } from './table.ts';

const HOUR_MS = 3_600_000;

/** What a trial will take, step by step, what theory asks for at least, and what worse candidates would cost, as text. */
export function formatPlan(plan: Plan): string {
  const rows = plan.steps.map(({ number, task, requests, hours, slowest }) => [
    `  ${number}`,
    task,
    requests === undefined ? 'does not end by itself' : requestsText(requests),
    timeText(hours),
    slowest === undefined ? '' : `for ${slowest}`,
  ]);
  const parts = [...sumOf(plan), ...worseOf(plan), ...holdbackOf(plan)];
  return [headingOf(plan), formatTable(rows), ...parts].join('\n');
}

function headingOf({ requestsPerSecond, improvement }: Plan): string {
  const rate =
    requestsPerSecond === undefined
      ? 'no rate known yet: --rate gives one'
      : `at ${rateText(requestsPerSecond)} requests a second`;
  const truth =
    improvement === undefined
      ? 'as good as stable'
      : `better (wrong on ${percentText(improvement)} less of the labelled pairs)`;
  return `Expected, if the candidate is ${truth} and every label comes (${rate}):`;
}

function sumOf(plan: Plan): readonly string[] {
  const { requests, hours, limit, labels, units, isTooLong, beyondMax, failuresSeen, attempt } =
    plan;
  const time = timeText(hours);
  const least = limit === undefined ? '' : ` No test can do with less than ${countText(limit)}.`;
  const labelled = labels === undefined || labels === 0 ? '' : ` Labels: ${countText(labels)}.`;
  const all =
    requests === undefined
      ? 'A step does not end by itself.'
      : `In all ${requestsText(requests)}${time === '' ? '' : `, ${time}`}.${least}${labelled}`;
  const failures =
    failuresSeen === 0
      ? 'The candidate answers no live request.'
      : `A candidate that always fails would be rolled back after about ${countText(failuresSeen)} failed requests; stable answers those.`;
  const late = 'That is longer than maxDuration: expect the rollout to pause before it is proven.';
  return [
    `${all} ${failures}`,
    ...(units === undefined
      ? []
      : [
          `With a sticky key users count once: errors needs about ${countText(units)} distinct ones.`,
        ]),
    ...(isTooLong && requests !== undefined ? [late] : []),
    ...(beyondMax.length === 0
      ? []
      : [
          `That is more than maxSamples for ${beyondMax.join(', ')}: expect the rollout to end without proof.`,
        ]),
    ...anchorOf(plan),
    ...(attempt === undefined || attempt.number === 1
      ? []
      : [
          `Attempt ${attempt.number} at these weights within ${ATTEMPT_DAYS} days: ${percentText(attempt.falsePromotion)} is left for a false promotion.`,
        ]),
  ];
}

/** Where loss adds up against a third version: how much of what is allowed stable has used. */
function anchorOf({ anchor }: Plan): readonly string[] {
  if (anchor === undefined) return [];
  const { version, spent, allowed } = anchor;
  const more =
    spent.unmeasured === 0
      ? ''
      : `, besides ${counted(spent.unmeasured, 'unmeasured change')} of stable`;
  return [
    `Held to anchor ${version}: stable has used ${chosenText(spent.loss)} of the ${chosenText(allowed)} loss allowed since${more}.`,
  ];
}

/** Candidates that fail more often, and the least harm that is found. */
function worseOf({ effects, smallest, leastImprovement }: Plan): readonly string[] {
  const rows = effects.map(({ times, errorRate, worse, isStopped, requests, hours, failed }) => [
    `  ${times} x the errors (${percentText(errorRate)})`,
    isStopped ? endText(worse) : 'within the margins: promoted',
    requests === undefined ? '' : requestsText(requests),
    timeText(hours),
    `${countText(failed)} failed, answered by stable`,
  ]);
  return [
    ...(rows.length === 0 ? [] : ['A worse candidate:', formatTable(rows)]),
    ...leastOf('The least that is found within maxDuration, of the candidate:', smallest),
    ...(leastImprovement === undefined
      ? []
      : [
          `The least improvement that is proven within maxDuration: wrong on ${percentText(leastImprovement)} less of the labelled pairs.`,
        ]),
  ];
}

function leastOf(heading: string, smallest: Plan['smallest']): readonly string[] {
  if (smallest.length === 0) return [];
  const found = smallest.map(({ metric, rate, reference }) => [
    `  ${metric}`,
    rate === undefined ? 'nothing' : percentText(rate),
    reference === 0 ? '' : `reference ${percentText(reference)}`,
  ]);
  return [heading, formatTable(found)];
}

/** What stays on the former version once the candidate is promoted. */
function holdbackOf({ holdback }: Plan): readonly string[] {
  if (holdback === undefined) return [];
  const { percent, hours, requests, smallest } = holdback;
  const each = requests === undefined ? '' : `: about ${countText(requests)} requests each`;
  return [
    `Once promoted: ${percent} % stays on the former version for ${timeText(hours)}, beside as much of the candidate's traffic${each}.`,
    ...leastOf('The least that undoes the promotion in that time, of the candidate:', smallest),
  ];
}

/** A candidate that is neither proven worse nor let through ends as `onInconclusive` says. */
function endText(worse: string | undefined): string {
  return worse === undefined ? 'not proven either way by maxDuration' : `rolled back on ${worse}`;
}

function requestsText(requests: number): string {
  return requests === 0 ? 'immediately' : `about ${countText(requests)} requests`;
}

function timeText(hours: number | undefined): string {
  return hours === undefined || hours === 0 ? '' : durationText(hours * HOUR_MS);
}

function rateText(perSecond: number): string {
  return perSecond < 10 ? perSecond.toPrecision(2) : countText(perSecond);
}
