import { POWER_ROWS, type PowerRow } from './power-rows.ts';
import { simulate } from './simulate.ts';
import { understudy } from './understudy.ts';
import { WHOLE_ROLLOUTS, type WholeRollout } from './whole-rollouts.ts';

/** What the runs of one row came to, as it is kept. Requests of those runs that ended with the row's finding. */
export type PowerResult = {
  readonly kind: 'metric' | 'rollout';
  readonly name: string;
  readonly truth: string;
  readonly finding: string;
  readonly runs: number;
  /** Runs that ended with the finding. */
  readonly found: number;
  readonly limit: number;
  readonly median: number;
  readonly mean: number;
  readonly ninetieth: number;
  /** The most that mean over limit should be; undefined: none is aimed at. */
  readonly goal: number | undefined;
};

const METRIC_GOAL = 1.5;
const ROLLOUT_GOAL = 3;

/** Every row that has one of the words in its name. */
export function measurePower(
  words: readonly string[],
  runs: number,
  tell: (line: string) => void,
): readonly PowerResult[] {
  const isMeant = (text: string): boolean =>
    words.length === 0 || words.some((word) => text.includes(word));
  const metrics = POWER_ROWS.filter(({ metric }) => isMeant(metric));
  const rollouts = WHOLE_ROLLOUTS.filter(() => isMeant('rollout'));
  const measured = (result: PowerResult): PowerResult => {
    const ratio = (result.mean / result.limit).toFixed(2);
    tell(`${result.name}, ${result.truth}: ${ratio} times the limit`);
    return result;
  };
  return [
    ...metrics.map((row) => measured(ofMetric(row, runs))),
    ...rollouts.map((row) => measured(ofRollout(row, runs))),
  ];
}

function ofMetric(row: PowerRow, runs: number): PowerResult {
  const { metric, truth, finding, limit, world, inBlocks } = row;
  const ending = finding === 'worse' ? 'rolledBack' : 'promoted';
  return {
    kind: 'metric',
    name: metric,
    truth,
    finding,
    ...figures(world, { ending, runs, limit }),
    goal: inBlocks ? undefined : METRIC_GOAL,
  };
}

function ofRollout({ truth, world, limit }: WholeRollout, runs: number): PowerResult {
  return {
    kind: 'rollout',
    name: 'default rollout',
    truth,
    finding: 'promoted',
    ...figures(world, { ending: 'promoted', runs, limit }),
    goal: ROLLOUT_GOAL,
  };
}

function figures(
  world: PowerRow['world'],
  { ending, runs, limit }: { ending: 'promoted' | 'rolledBack'; runs: number; limit: number },
) {
  const contender = understudy();
  const requests: number[] = [];
  for (let seed = 1; seed <= runs; seed += 1) {
    const outcome = simulate(world, contender, seed);
    if (outcome.ending === ending) requests.push(outcome.requests);
  }
  requests.sort((a, b) => a - b);
  const at = (share: number): number => requests[Math.floor(share * (requests.length - 1))] ?? 0;
  const sum = requests.reduce((total, each) => total + each, 0);
  return {
    runs,
    found: requests.length,
    limit: Math.round(limit),
    median: at(0.5),
    mean: Math.round(sum / Math.max(1, requests.length)),
    ninetieth: at(0.9),
  };
}

/** Rows whose mean is beyond the goal. */
export function missedGoals(results: readonly PowerResult[]): readonly PowerResult[] {
  return results.filter(
    ({ goal, mean, limit, found }) => goal !== undefined && (found === 0 || mean / limit > goal),
  );
}
