/** Chains of promotions, each over the version that the one before made stable, through `decide` and the fold of the ledger. */
import t from 'tap';
import type { Anchor } from '../../src/core/anchor.ts';
import { spentSince } from '../../src/core/anchor.ts';
import { NO_ANCHOR } from '../../src/core/evidence.ts';
import { type Random, seededRandom } from '../../src/core/random.ts';
import type { Rollout, RolloutSpec } from '../../src/core/rollout.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import { decide } from '../../src/decide/decide.ts';
import { requiredMetrics } from '../../src/rollout/action/required-metrics.ts';
import { anchorAfterPromotion, anchorAtStart } from '../../src/rollout/history/anchor.ts';
import { aSpec, differences, FULLY_LABELLED, goodEvidence } from './builders.ts';

const MARGIN = 0.02;
const WRONG = 0.05;
const LABELS_MAX = 20_000;
const LOOK_EVERY = 250;

const STEPS: RolloutSpec['steps'] = [
  { kind: 'setMirror', percentage: 100, twin: 0 },
  { kind: 'analysis', require: ['labelledLoss'], reject: [] },
  { kind: 'promote' },
];

type Counts = { won: number; same: number; lost: number };

const countsOf = ({ won, same, lost }: Counts) => differences([-1, won], [0, same], [1, lost]);

function count(counts: Counts, candidate: boolean, other: boolean): void {
  if (candidate === other) counts.same += 1;
  else if (candidate) counts.lost += 1;
  else counts.won += 1;
}

/** One rollout, looked at every so many labels; `wrong`: how often a version is. Undefined: it is never decided. */
function verdictOf(
  spec: RolloutSpec,
  wrong: (version: string) => number,
  random: Random,
): Verdict | undefined {
  const [toStable, toAnchor] = [0, 0].map((): Counts => ({ won: 0, same: 0, lost: 0 }));
  if (toStable === undefined || toAnchor === undefined) throw new Error('expected two counts');
  const errs = (version: string): boolean => random.unit() < wrong(version);
  const third = spec.anchor?.version ?? spec.stable;
  for (let labels = 1; labels <= LABELS_MAX; labels += 1) {
    const candidate = errs(spec.candidate);
    count(toStable, candidate, errs(spec.stable));
    count(toAnchor, candidate, errs(third));
    if (labels % LOOK_EVERY !== 0) continue;
    const coverage = { '': FULLY_LABELLED };
    const evidence = goodEvidence({
      labelledLoss: countsOf(toStable),
      anchor: { ...NO_ANCHOR, answered: labels, loss: countsOf(toAnchor), coverage },
    });
    const verdict = decide({ evidence, spec, require: requiredMetrics(spec, 1) });
    if (verdict.kind === 'pass' || verdict.kind === 'fail') return verdict;
  }
  return undefined;
}

/** How many in a row are promoted, each `step` worse than the one before, and how the next one ends. */
function chain(length: number, step: number, seed: number) {
  const random = seededRandom(seed);
  const wrong = (version: string): number => WRONG + step * Number(version);
  let anchor: Anchor | undefined;
  for (let at = 0; at < length; at += 1) {
    const [stable, candidate] = [`${at}`, `${at + 1}`];
    const plan = anchor ?? { version: stable, digest: stable, moves: [] };
    const { version, digest } = plan;
    const spec = aSpec({
      ...{ stable, candidate, slices: [], steps: STEPS, claim: 'noWorse', anchorShare: 100 },
      anchor: { version, digest, spent: spentSince(plan, stable) },
    });
    const rollout: Rollout = {
      ...{ id: candidate, spec, phase: { kind: 'promoted', atMs: at } },
      ...{ startedMs: 0, candidateRequestsAtStep: 0 },
    };
    anchor = anchorAtStart(anchor, rollout, 0);
    const verdict = verdictOf(spec, wrong, random);
    if (verdict?.kind !== 'pass') return { promoted: at, ended: verdict?.kind, anchor };
    anchor = anchorAfterPromotion(anchor, { rollout, digest: candidate, verdict, atMs: at });
  }
  return { promoted: length, ended: 'pass' as const, anchor };
}

t.test('of five candidates that each lose 0.9 margins, the second is refused', async (t) => {
  const runs = Array.from({ length: 60 }, (_, seed) => chain(5, 0.9 * MARGIN, seed));
  const second = runs.filter(({ promoted }) => promoted >= 2).length;
  const most = 60 * 0.05 + 3 * Math.sqrt(60 * 0.05 * 0.95);
  t.ok(second <= most, `${second} of 60 promoted two, at most ${most.toFixed(1)}`);
  t.ok(
    runs.every(({ promoted }) => promoted < 3),
    'and none three',
  );
});

t.test(
  'ten candidates in a row that are all alike are refused no more often than without',
  async (t) => {
    const runs = Array.from({ length: 20 }, (_, seed) => chain(10, 0, 100 + seed));
    const failed = runs.filter(({ ended }) => ended === 'fail').length;
    t.ok(failed <= 200 * 0.05, `${failed} of at most 200 rollouts were rolled back`);
    const promoted = runs.reduce((sum, run) => sum + run.promoted, 0);
    t.ok(promoted >= 190, `${promoted} of 200 were promoted`);
  },
);

t.test('the anchor stays where small losses and small gains take turns', async (t) => {
  const { anchor } = chain(1, 0.5 * MARGIN, 7);
  t.equal(anchor?.version, '0');
});
