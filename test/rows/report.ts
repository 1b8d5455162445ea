import { RANDOM, type Result } from './exam.ts';

/** All that is not as it should be, a line each; empty: the exam is passed. */
export function faultsOf(results: readonly Result[]): readonly string[] {
  return results.flatMap((result) => {
    const { model, wrong, refused } = result;
    const faults = [
      ...wrong.kept.map((why) => `wrong (${wrong.count} in all): ${why}`),
      ...refused.kept.map((why) => `refused (${refused.count} in all): ${why}`),
      ...standingFaults(result),
    ];
    return faults.map((fault) => `${model.name} (${model.tier}): ${fault}`);
  });
}

function standingFaults({ model, standing, sharedRuns, skipped }: Result): readonly string[] {
  const { batch } = standing;
  if (model.source === 'generated' && skipped !== undefined && skipped !== RANDOM) {
    return [`it is not asked: ${skipped}`];
  }
  if (skipped === RANDOM && !isOff(batch)) return [`answers at random, and is '${batch}'`];
  if (model.expected === 'alone' && !isOff(batch)) return [`expected batch: off, found '${batch}'`];
  if (model.expected !== 'joined') return [];
  if (batch !== 'probed') return [`expected batch: probed, found '${batch || skipped}'`];
  return sharedRuns > 0 ? [] : ['no two requests shared a run'];
}

function isOff(batch: string): boolean {
  return batch.startsWith('off, because ');
}

export type Totals = {
  readonly models: number;
  readonly asked: number;
  readonly joined: number;
  readonly off: number;
  readonly requests: number;
  readonly sharedRuns: number;
  readonly wrong: number;
  readonly refused: number;
};

export function totalsOf(results: readonly Result[]): Totals {
  const sum = (of: (result: Result) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  return {
    models: results.length,
    asked: sum(({ requests }) => Number(requests > 0)),
    joined: sum(({ standing }) => Number(standing.batch === 'probed')),
    off: sum(({ standing }) => Number(isOff(standing.batch))),
    requests: sum(({ requests }) => requests),
    sharedRuns: sum(({ sharedRuns }) => sharedRuns),
    wrong: sum(({ wrong }) => wrong.count),
    refused: sum(({ refused }) => refused.count),
  };
}

const COLUMNS = [
  ...(['models', 'asked', 'joined', 'off', 'requests', 'sharedRuns', 'wrong', 'refused'] as const),
];

/** A line for each kind of model in each tier, and one for all. */
export function tableOf(results: readonly Result[]): string {
  const kinds = [...new Set(results.map(kindOf))];
  const rows = [
    ...kinds.map((kind) => [kind, results.filter((result) => kindOf(result) === kind)] as const),
    ['all', results] as const,
  ];
  const lines = rows.map(([kind, own]) => {
    const totals = totalsOf(own);
    return [kind, ...COLUMNS.map((column) => String(totals[column]))];
  });
  const heads = [
    '',
    ...COLUMNS.map((column) => (column === 'sharedRuns' ? 'shared runs' : column)),
  ];
  return [heads, ...lines]
    .map(
      ([kind = '', ...cells]) => kind.padEnd(22) + cells.map((cell) => cell.padStart(12)).join(''),
    )
    .join('\n');
}

function kindOf({ model }: Result): string {
  return `${model.source}, ${model.tier}`;
}

/** How one model stands, on one line. */
export function lineOf({ model, standing, requests, sharedRuns, skipped }: Result): string {
  const what = `${model.name} (${model.tier})`.padEnd(60);
  if (skipped !== undefined) return `${what} not asked: ${skipped.slice(0, 100)}`;
  const counts = `${requests} requests, ${sharedRuns} shared runs`;
  return `${what} ${counts}, batch: ${standing.batch.slice(0, 120)}`;
}
