import type { LabelCoverage, LabelledUnits } from '../core/label-evidence.ts';
import { countText, percentText } from '../core/text.ts';
import { countLog } from '../stats/log-sum-exp.ts';
import { evenMixture, logEvidence, type Mixture, samplesToGo } from '../stats/mixture.ts';
import { isCount } from './value-counts.ts';

/** Labels must be shown to come so much more often, at most, on one side than on the other. */
const RATIO_MAX = 1.25;

/** Bets on labels of what differs being rarer, as parts of what can be lost without losing all. */
const BETS = [0.2, 0.4, 0.95];

/** One block: whether the differing unit is labelled, and the labelled share of the agreeing ones. */
type Block = { readonly differing: number; readonly agreeing: number; readonly count: number };

/**
 * Why labels of pairs on which the versions agree and differ are not shown to come equally often, in a sentence; undefined: they are.
 *
 * Two e-processes over blocks of one differing unit (d: labelled or not) and the agreeing units before it (a: their labelled share):
 * prod(1 - bet (d - 1.25 a)) against "labels of what differs come at least 1.25 times as often", prod(1 + bet (d - 0.8 a)) against "at
 * most 0.8 times". Each must reach `logNeeded`. Assumes that within a block the share of labels does not drift. What selects within
 * the pairs that differ (only those that stable got wrong, say) is beyond any such test: that is what the operator vouches for.
 */
export function whyNotCovered(
  coverage: LabelCoverage | undefined,
  logNeeded: number,
): string | undefined {
  const blocks = coverage && blocksOf(coverage.blocks);
  if (coverage === undefined || blocks === undefined) return 'label coverage cannot be read';
  const proofs = [moreOften(blocks), lessOften(blocks)];
  if (proofs.every((proof) => logEvidence(proof) >= logNeeded)) return undefined;
  const { agreeing, differing } = coverage;
  const seen = `labels came for ${shareText(differing)} that differ and ${shareText(agreeing)} that agree`;
  const ratio =
    differing.labelled / differing.units / (agreeing.labelled / Math.max(1, agreeing.units));
  if (ratio > RATIO_MAX || ratio < 1 / RATIO_MAX)
    return `labels are no random sample: ${seen}; label a random sample`;
  const samples = blocks.reduce((sum, { count }) => sum + count, 0);
  const more = proofs.map((proof) => samplesToGo(proof, samples, logNeeded));
  const about = more.every((count) => count !== undefined)
    ? `, about ${countText(Math.max(...more))} more that differ`
    : '';
  return `labels are not yet shown to be a random sample (0.8 to 1.25 times as often): ${seen}${about}`;
}

/** Evidence against "labels of what differs come 1.25 times as often or more". */
function moreOften(blocks: readonly Block[]): Mixture {
  return mixture(
    blocks,
    ({ differing, agreeing }, bet) => 1 - bet * (differing - RATIO_MAX * agreeing),
  );
}

/** Evidence against "labels of what differs come 0.8 times as often or less". */
function lessOften(blocks: readonly Block[]): Mixture {
  return mixture(
    blocks,
    ({ differing, agreeing }, bet) => 1 + bet * (RATIO_MAX * differing - agreeing),
  );
}

function mixture(blocks: readonly Block[], factor: (block: Block, bet: number) => number): Mixture {
  return evenMixture(
    BETS.map((bet) =>
      blocks.reduce((sum, block) => sum + countLog(block.count, factor(block, bet)), 0),
    ),
  );
}

/** In one order, so that sums are equal bit for bit; undefined where a key or a count is not what it should be. */
function blocksOf(counts: LabelCoverage['blocks']): readonly Block[] | undefined {
  const blocks: Block[] = [];
  const sorted = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [key, count] of sorted) {
    const [, differing, labelled, units] = /^([01])\/(\d+)\/([1-9]\d*)$/.exec(key) ?? [];
    const agreeing = Number(labelled) / Number(units);
    if (!isCount(count) || !(agreeing <= 1)) return undefined;
    blocks.push({ differing: Number(differing), agreeing, count });
  }
  return blocks;
}

function shareText({ units, labelled }: LabelledUnits): string {
  return units === 0 ? 'none of 0' : `${percentText(labelled / units)} of ${countText(units)}`;
}
