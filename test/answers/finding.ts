import { chooseComparator } from '../../src/compare/choose-comparator.ts';
import { chooseLoss } from '../../src/compare/choose-loss.ts';
import type { Answers } from './answers.ts';
import type { Change, Manifest } from './manifest.ts';
import { contestantOf, type TrialResult, type Tried, tryChange } from './trial.ts';

/** One row of the table. */
export type Finding = {
  readonly model: string;
  readonly half: Manifest['half'];
  /** What kind of model it is, and where it comes from. */
  readonly kind: string;
  readonly source: string;
  readonly licence: string;
  /** How answers are compared, with the tolerances. */
  readonly comparator: string;
  readonly change: string;
  readonly intent: 'equivalent' | 'improve';
  readonly expected: Change['expected'];
  readonly seen: TrialResult['ending'];
  readonly why: string;
  readonly requests: number;
  readonly labels: number;
  /** The share of all real requests whose answers count as different. */
  readonly differing: number;
  /** The greatest distance of each request's rows, in the unit of the family; undefined: the family has none. */
  readonly distance?: { readonly median: number; readonly greatest: number } | undefined;
  /** The candidate's mean loss less stable's, over all real requests; undefined: there are no labels. */
  readonly lossMore?: number | undefined;
};

/** Tries one change, and measures what is true of it over all requests of the model. */
export function find(tried: Tried, seed: number): Finding {
  const { manifest, change } = tried;
  const { intent = 'equivalent' } = change;
  const { ending, why, requests, labels } = tryChange(tried, seed);
  return {
    model: manifest.name,
    half: manifest.half,
    kind: manifest.kind,
    source: manifest.source,
    licence: manifest.licence,
    change: change.name,
    intent,
    expected: change.expected,
    seen: ending,
    why,
    requests,
    labels,
    ...differences(tried),
    lossMore: lossMore(tried),
  };
}

function differences(tried: Tried): Pick<Finding, 'comparator' | 'differing' | 'distance'> {
  const { stable, candidate } = tried;
  const claim = { intent: 'equivalent', rules: 2 } as const;
  const comparator = chooseComparator(contestantOf(tried, '1'), claim);
  const scores = stable.outputs.map((outputs, at) =>
    comparator.score(outputs, candidate.outputs[at] ?? []),
  );
  const distances = scores
    .flatMap((score) => Object.values(score.distances ?? {}))
    .sort((a, b) => a - b);
  const [median, greatest] = [distances[distances.length >> 1], distances.at(-1)];
  return {
    comparator: comparator.name,
    differing: mean(scores.map(({ score }) => score ?? 0)),
    distance: median === undefined || greatest === undefined ? undefined : { median, greatest },
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function lossMore(tried: Tried): number | undefined {
  const { manifest, stable, candidate } = tried;
  const truth = manifest.truth;
  if (truth === undefined) return undefined;
  const of = (version: string, answers: Answers): number | undefined => {
    const contestant = contestantOf(tried, version);
    const rule = chooseLoss(contestant);
    if (rule === undefined) return undefined;
    const losses = answers.outputs.map((outputs, at) => {
      const kept = rule.keep({ kind: 'answer', outputs, computeMs: 0 });
      return kept === undefined ? 1 : rule.loss(kept, truth[at]);
    });
    return mean(losses);
  };
  const [mine, theirs] = [of('1', stable), of('2', candidate)];
  return mine === undefined || theirs === undefined ? undefined : theirs - mine;
}
