import {
  type CoverageBlocks,
  type CoverageCounts,
  type LabelCoverage,
  type LabelledUnits,
  stablePart,
} from '../core/label-evidence.ts';
import { countText, percentText } from '../core/text.ts';
import { countLog } from '../stats/log-sum-exp.ts';
import { evenMixture, logEvidence, type Mixture, samplesToGo } from '../stats/mixture.ts';
import { isCount } from './value-counts.ts';

/** Labels must be shown to come so much more often, at most, on one side than on the other. */
const RATIO_MAX = 1.25;

/** Bets on labels of the other side being rarer, as parts of what can be lost without losing all. */
const BETS = [0.2, 0.4, 0.95];

/** An arm that served such a part of the differing units must show it for itself as well. */
const ARM_SHARE_MIN = 1 / 3;

/** One block: whether the other side's unit is labelled, and the labelled share of those of the base. */
type Block = { readonly other: number; readonly base: number; readonly count: number };

/** How often labels come on two sides, and what each is called. */
export type LabelSides = {
  readonly base: LabelledUnits;
  readonly other: LabelledUnits;
  readonly blocks: CoverageBlocks;
  readonly names: { readonly base: string; readonly other: string };
};

/**
 * Why labels of pairs on which the versions agree and differ are not shown to come equally often, in a sentence; undefined: they are,
 * over all and for each arm that served at least a third of the pairs that differ.
 */
export function whyNotCovered(
  coverage: LabelCoverage | undefined,
  logNeeded: number,
): string | undefined {
  if (coverage === undefined) return 'label coverage cannot be read';
  const { differing, control } = coverage;
  const why = whyNotAlike(sidesOf(coverage, ''), logNeeded);
  if (why !== undefined || control === undefined) return why;
  const ofArms = [
    sidesOf(stablePart(coverage), ' and stable served'),
    sidesOf(control, ' and control served'),
  ];
  for (const sides of ofArms) {
    if (sides.other.units < ARM_SHARE_MIN * differing.units) continue;
    const whyOfArm = whyNotAlike(sides, logNeeded);
    if (whyOfArm !== undefined) return whyOfArm;
  }
  return undefined;
}

function sidesOf({ agreeing, differing, blocks }: CoverageCounts, served: string): LabelSides {
  const names = { base: `that agree${served}`, other: `that differ${served}` };
  return { base: agreeing, other: differing, blocks, names };
}

/**
 * Why labels of two sides are not shown to come equally often, in a sentence; undefined: they are.
 *
 * Two e-processes over blocks of one unit of the other side (d: labelled or not) and those of the base before it (a: their labelled
 * share): prod(1 - bet (d - 1.25 a)) against "labels of the other side come at least 1.25 times as often", prod(1 + bet (1.25 d - a))
 * against "at most 0.8 times". Each must reach `logNeeded`. Assumes that within a block the share of labels does not drift. What
 * selects within a side (only the pairs that stable got wrong, say) is beyond any such test: that is what the operator vouches for.
 */
export function whyNotAlike(
  { base, other, blocks: counts, names }: LabelSides,
  logNeeded: number,
): string | undefined {
  const blocks = blocksOf(counts);
  if (blocks === undefined) return 'label coverage cannot be read';
  const proofs = [moreOften(blocks), lessOften(blocks)];
  if (proofs.every((proof) => logEvidence(proof) >= logNeeded)) return undefined;
  const seen = `labels came for ${shareText(other)} ${names.other} and ${shareText(base)} ${names.base}`;
  const ratio = other.labelled / other.units / (base.labelled / Math.max(1, base.units));
  if (ratio > RATIO_MAX || ratio < 1 / RATIO_MAX)
    return `labels are no random sample: ${seen}; label a random sample`;
  const samples = blocks.reduce((sum, { count }) => sum + count, 0);
  const more = proofs.map((proof) => samplesToGo(proof, samples, logNeeded));
  const about = more.every((count) => count !== undefined)
    ? `, about ${countText(Math.max(...more))} more ${names.other}`
    : '';
  return `labels are not yet shown to be a random sample${about}: ${seen}`;
}

/** Evidence against "labels of the other side come 1.25 times as often or more". */
function moreOften(blocks: readonly Block[]): Mixture {
  return mixture(blocks, ({ other, base }, bet) => 1 - bet * (other - RATIO_MAX * base));
}

/** Evidence against "labels of the other side come 0.8 times as often or less". */
function lessOften(blocks: readonly Block[]): Mixture {
  return mixture(blocks, ({ other, base }, bet) => 1 + bet * (RATIO_MAX * other - base));
}

function mixture(blocks: readonly Block[], factor: (block: Block, bet: number) => number): Mixture {
  return evenMixture(
    BETS.map((bet) =>
      blocks.reduce((sum, block) => sum + countLog(block.count, factor(block, bet)), 0),
    ),
  );
}

/** In one order, so that sums are equal bit for bit; undefined where a key or a count is not what it should be. */
function blocksOf(counts: CoverageBlocks): readonly Block[] | undefined {
  const blocks: Block[] = [];
  const sorted = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [key, count] of sorted) {
    const [, other, labelled, units] = /^([01])\/(\d+)\/([1-9]\d*)$/.exec(key) ?? [];
    const base = Number(labelled) / Number(units);
    if (!isCount(count) || !(base <= 1)) return undefined;
    blocks.push({ other: Number(other), base, count });
  }
  return blocks;
}

function shareText({ units, labelled }: LabelledUnits): string {
  return units === 0 ? 'none of 0' : `${percentText(labelled / units)} of ${countText(units)}`;
}
