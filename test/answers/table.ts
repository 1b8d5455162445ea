import type { Finding } from './finding.ts';

export const HEADING: readonly string[] = [
  'model',
  'change',
  'intent',
  'expected',
  'seen',
  'requests',
  'labels',
  'differ',
  'median',
  'greatest',
  'loss',
];

export function rowOf(finding: Finding): readonly string[] {
  const { model, change, intent, expected, seen, requests, labels, differing, distance, lossMore } =
    finding;
  return [
    model,
    change,
    intent,
    WORDS[expected],
    WORDS[seen],
    requests.toLocaleString('en'),
    labels === 0 ? '' : labels.toLocaleString('en'),
    `${(100 * differing).toFixed(1)} %`,
    amount(distance?.median),
    amount(distance?.greatest),
    lossMore === undefined ? '' : signed(lossMore),
  ];
}

const WORDS = {
  promoted: 'promoted',
  rolledBack: 'rolled back',
  paused: 'paused',
  undecided: 'undecided',
} satisfies Record<Finding['seen'], string>;

function signed(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(3)}`;
}

/** Two digits are enough to see where a tolerance lies. */
export function amount(distance: number | undefined): string {
  if (distance === undefined) return '';
  return distance === 0 ? '0' : String(Number(distance.toPrecision(2)));
}
