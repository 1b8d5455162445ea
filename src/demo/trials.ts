import type { Intent, Margins } from '../core/rollout.ts';

/** One trial of the demo: who is tried, what is claimed for it, and what should become of it. */
export type Trial = {
  readonly candidate: string;
  /** What this candidate is, as text. */
  readonly title: string;
  readonly expected: 'promoted' | 'rolledBack';
  /** What the rollout is to show: the body of the request that starts it, but for the candidate. */
  readonly claim: { readonly intent: Intent; readonly margins: AskedMargins };
};

/** As a request names them: the length of a block as text. */
type AskedMargins = Omit<Margins, 'pairedErrors' | 'pairedLatency' | 'slowRequests'> & {
  readonly pairedErrors: Exclude<Margins['pairedErrors'], number>;
} & {
  readonly [Name in 'pairedLatency' | 'slowRequests']: Omit<Margins[Name], 'blockMs'> & {
    readonly block: string;
  };
};

/** The group that the demo's third version was starved of while it learned. */
const DEMO_SLICE = { garment: 'upper', tone: 'dark' };

const BLOCK = '100ms';

/**
 * Margins wide enough to be proven within the demo's minute, not advice. Latency: a canary request is slow above the
 * control's past p95 (not p99), and the candidate may be slow at most twice as often and 10 points. Blocks of a tenth of a second take stalls
 * that are longer for several.
 */
const MARGINS = {
  disagreement: 0.01,
  pairedErrors: { ratio: 2, absolute: 0.01 },
  labelledLoss: 0.03,
  errors: { ratio: 2, absolute: 0.01 },
  slowRequests: { ratio: 2, quantile: 0.95, absolute: 0.1, block: BLOCK },
};

/** New weights: answers will change, and the labels must say that they got no worse, overall and in the slice. */
const IMPROVE = {
  intent: 'improve' as const,
  slices: [DEMO_SLICE],
  // Another architecture may take up to 2 ms longer for a run; a live request must not feel it (slowRequests).
  margins: { ...MARGINS, pairedLatency: { ratio: 1.5, floorMs: 2, block: BLOCK } },
  minDuration: '1s',
  // Each image comes back within the demo, and is another request of another user then.
  unit: { window: '100ms' },
  maxDuration: '10m',
  steps: [
    { setMirror: { percentage: 100, twin: 50 } },
    { analysis: { metrics: ['labelledLoss', 'pairedErrors'], reject: ['pairedLatency'] } },
    { setWeight: { percent: 10, control: true } },
    { setWeight: { percent: 50, control: true } },
    { analysis: { metrics: ['errors', 'slowRequests'] } },
    'promote',
  ],
};

/** The same weights, built another way: answers and speed must stay what they are. */
const EQUIVALENT = {
  intent: 'equivalent' as const,
  slices: [],
  margins: { ...MARGINS, pairedLatency: { ratio: 1.5, floorMs: 0, block: BLOCK } },
  minDuration: '1s',
  unit: { window: '100ms' },
  maxDuration: '10m',
  steps: [
    { setMirror: { percentage: 100, twin: 100 } },
    { analysis: { metrics: ['disagreement', 'pairedErrors'], reject: ['pairedLatency'] } },
    { setWeight: { percent: 10, control: true } },
    { setWeight: { percent: 50, control: true } },
    { analysis: { metrics: ['errors', 'slowRequests'] } },
    'promote',
  ],
};

/** The four trials, in order. The second and later ones meet the version that the first one promoted. */
export const TRIALS: readonly Trial[] = [
  {
    candidate: '2',
    title: 'a better model',
    expected: 'promoted',
    claim: IMPROVE,
  },
  {
    candidate: '3',
    title: 'better on average, much worse on dark tops',
    expected: 'rolledBack',
    claim: IMPROVE,
  },
  {
    candidate: '2-slow',
    title: 'version 2 built with redundant layers, three times slower',
    expected: 'rolledBack',
    claim: EQUIVALENT,
  },
  {
    candidate: '2-flaky',
    title: 'version 2 that returns NaN, and then kills its process',
    expected: 'rolledBack',
    claim: EQUIVALENT,
  },
];

/** The margins of a trial in one line. */
export function marginsText({ claim: { intent, margins } }: Trial): string {
  const { disagreement, labelledLoss, pairedErrors, pairedLatency, errors, slowRequests } = margins;
  const claim =
    intent === 'improve' ? `labelledLoss ${labelledLoss}` : `disagreement ${disagreement}`;
  return [
    claim,
    `pairedErrors x${pairedErrors.ratio}`,
    `pairedLatency x${pairedLatency.ratio} and ${pairedLatency.floorMs} ms`,
    `errors x${errors.ratio}`,
    `slowRequests x${slowRequests.ratio} above p${100 * slowRequests.quantile}`,
  ].join(', ');
}
