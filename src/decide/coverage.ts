import type { MirrorCounts } from '../core/evidence.ts';
import { tenthsText } from '../core/text.ts';

/** At least so much of the sampled traffic must have been compared, over all and in every tenth of the load. */
const COVERAGE_MIN = 0.9;
const COVERAGE_MIN_AT_LOAD = 0.7;

/** Fewer sampled requests than this say nothing about coverage. */
const COVERAGE_SAMPLES_MIN = 100;
const LOAD_SAMPLES_MIN = 20;

/**
 * Why the mirror has seen too little of the traffic for its metrics to promote; empty if it has seen enough. Pairs that are
 * missing are not missing at random: a shadow host drops when the load is high, which is when a slow or failing candidate shows.
 */
export function coverageGaps(mirror: MirrorCounts): readonly string[] {
  const dropped = Object.values(mirror.dropped).reduce((sum, count) => sum + count, 0);
  const sampled = mirror.compared + dropped + mirror.timedOut + mirror.failed;
  if (!(sampled >= COVERAGE_SAMPLES_MIN)) {
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
  for (const tenth of tenthsOfLoad(mirror.byLoad)) {
    const rate = tenth.compared / tenth.sampled;
    if (tenth.sampled >= LOAD_SAMPLES_MIN && !(rate >= COVERAGE_MIN_AT_LOAD)) {
      gaps.push(
        `mirror coverage is ${tenthsText(rate)} at ${tenth.load} or more live requests in flight, ${tenthsText(COVERAGE_MIN_AT_LOAD)} needed`,
      );
    }
  }
  return gaps;
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
