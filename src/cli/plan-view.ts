import { countText, durationText } from '../core/text.ts';
import type { Plan } from '../rollout/plan.ts';
import { formatTable } from './table.ts';

const HOUR_MS = 3_600_000;

/** What a trial will take, step by step, and what a broken candidate would cost, as text. */
export function formatPlan(plan: Plan): string {
  const rows = plan.steps.map(({ number, task, requests, hours, slowest }) => [
    `  ${number}`,
    task,
    requests === undefined ? 'does not end by itself' : requestsText(requests),
    timeText(hours),
    slowest === undefined ? '' : `for ${slowest}`,
  ]);
  return [headingOf(plan), formatTable(rows), ...sumOf(plan)].join('\n');
}

function headingOf({ requestsPerSecond }: Plan): string {
  const rate =
    requestsPerSecond === undefined
      ? 'no rate known yet: --rate gives one'
      : `at ${rateText(requestsPerSecond)} requests a second`;
  return `Expected, if the candidate is as good as stable and every label comes (${rate}):`;
}

function sumOf({ requests, hours, isTooLong, failuresSeen }: Plan): readonly string[] {
  const time = timeText(hours);
  const all =
    requests === undefined
      ? 'A step does not end by itself.'
      : `In all ${requestsText(requests)}${time === '' ? '' : `, ${time}`}.`;
  const failures =
    failuresSeen === 0
      ? 'The candidate answers no live request.'
      : `A candidate that always fails would be rolled back after about ${countText(failuresSeen)} failed requests; stable answers those.`;
  const late = 'That is longer than maxDuration: expect the rollout to pause before it is proven.';
  return isTooLong && requests !== undefined
    ? [`${all} ${failures}`, late]
    : [`${all} ${failures}`];
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
