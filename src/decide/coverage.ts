import type { MirrorCounts } from '../core/evidence.ts';
import type { RulesVersion } from '../core/rollout.ts';
import { counted, tenthsText } from '../core/text.ts';

/** At least so much of the sampled traffic must have been compared, over all and in every tenth of the load. */
const COVERAGE_MIN = 0.9;
const COVERAGE_MIN_AT_LOAD = 0.7;

/** Fewer sampled requests than this say nothing about coverage. */
const COVERAGE_SAMPLES_MIN = 100;
const LOAD_SAMPLES_MIN = 20;

/**
 * Why the mirror has seen too little of the traffic for its metrics to promote; empty if it has seen enough. Pairs that are
 * missing are not missing at random: a shadow host drops when the load is high, which is when a slow or failing candidate shows.
 * The first rules listed every load at which too few were compared; later ones name the worst and count the others.
 */
export function coverageGaps(mirror: MirrorCounts, rules: RulesVersion): readonly string[] {
  const { sampled, dropped } = sampledOf(mirror);
  if (!isCoverageKnown(mirror)) {
    return [
      `mirror coverage is not yet known: ${sampled} of ${COVERAGE_SAMPLES_MIN} sampled requests`,
    ];
  }
  const gaps: string[] = [];
  if (!(mirror.compared / sampled >= COVERAGE_MIN)) {
    gaps.push(
      `mirror coverage is ${tenthsText(mirror.compared / sampled)} of ${sampled} sampled requests, ${tenthsText(COVERAGE_MIN)} needed (dropped ${dropped}, timed out ${mirror.timedOut}, failed ${mirror.failed})`,
    );
  }
  const thin = tenthsOfLoad(mirror.byLoad).filter(
    (tenth) => tenth.sampled >= LOAD_SAMPLES_MIN && !(rateOf(tenth) >= COVERAGE_MIN_AT_LOAD),
  );
  return [...gaps, ...(rules === 1 ? thin.map(gapText) : worstGap(thin))];
}

/** Whether enough requests were sampled to say how many of them were compared. */
export function isCoverageKnown(mirror: MirrorCounts): boolean {
  return sampledOf(mirror).sampled >= COVERAGE_SAMPLES_MIN;
}

function sampledOf(mirror: MirrorCounts): { readonly sampled: number; readonly dropped: number } {
  const dropped = Object.values(mirror.dropped).reduce((sum, count) => sum + count, 0);
  return { sampled: mirror.compared + dropped + mirror.timedOut + mirror.failed, dropped };
}

function worstGap(thin: readonly LoadGroup[]): readonly string[] {
  const [first, ...others] = thin;
  if (first === undefined) return [];
  const worst = others.reduce((a, b) => (rateOf(b) < rateOf(a) ? b : a), first);
  const more = others.length === 0 ? '' : ` (and at ${counted(others.length, 'other load')})`;
  return [`${gapText(worst)}${more}: lower setMirror.percentage`];
}

function gapText(tenth: LoadGroup): string {
  return `mirror coverage is ${tenthsText(rateOf(tenth))} at ${tenth.load} or more live requests in flight, ${tenthsText(COVERAGE_MIN_AT_LOAD)} needed`;
}

function rateOf({ sampled, compared }: LoadGroup): number {
  return compared / sampled;
}

type LoadGroup = { readonly load: number; readonly sampled: number; readonly compared: number };

/**
 * Buckets of load joined until each holds at least a tenth of the sampled requests, from the highest load down, so that the
 * top tenth is as narrow as the buckets allow. What is left over at the lowest load joins the last group.
 */
function tenthsOfLoad(byLoad: MirrorCounts['byLoad']): readonly LoadGroup[] {
  const buckets = Object.entries(byLoad)
    .map(([load, counts]) => ({ load: Number(load), ...counts }))
    .sort((a, b) => b.load - a.load);
  const tenth = buckets.reduce((sum, bucket) => sum + bucket.sampled, 0) / 10;
  const groups: LoadGroup[] = [];
  let open: LoadGroup | undefined;
  for (const bucket of buckets) {
    open = open === undefined ? bucket : join(open, bucket);
    if (open.sampled > 0 && open.sampled >= tenth) {
      groups.push(open);
      open = undefined;
    }
  }
  const last = groups.pop();
  if (last !== undefined) groups.push(open === undefined ? last : join(last, open));
  return groups;
}

function join(high: LoadGroup, low: LoadGroup): LoadGroup {
  return {
    load: low.load,
    sampled: high.sampled + low.sampled,
    compared: high.compared + low.compared,
  };
}
