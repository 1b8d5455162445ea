import type {
  ArmCounts,
  BlockCounts,
  Evidence,
  ExposedCounts,
  ExposureCounts,
  FeltByArm,
  FeltCounts,
  ShareCounts,
} from '../../core/evidence.ts';
import type { Rollout } from '../../core/rollout.ts';

/**
 * What the present part of a holdback has seen of live traffic; undefined in its first, which is all of it. Labels have their
 * window to wait for, and slices are small: both are judged by all of the holdback alone.
 */
export function partEvidence(
  { phase, liveAtStep: before }: Rollout,
  evidence: Evidence,
): Evidence | undefined {
  if (phase.kind !== 'holdback' || phase.part === undefined || before === undefined)
    return undefined;
  return {
    ...evidence,
    live: since(evidence.live, before.live, exposureSince),
    liveErrors: since(evidence.liveErrors ?? {}, before.liveErrors ?? {}, sharesSince),
    liveFelt: since(evidence.liveFelt ?? {}, before.liveFelt ?? {}, feltSince),
    slowBlocks: blocksSince(evidence.slowBlocks ?? {}, phase.part.sinceMs),
    liveLoss: undefined,
    bySlice: {},
  };
}

type ByExposure<Counts> = Readonly<Record<string, Counts>>;

function since<Counts>(
  now: ByExposure<Counts>,
  then: ByExposure<Counts>,
  added: (now: Counts, then: Counts) => Counts,
): ByExposure<Counts> {
  return Object.fromEntries(
    Object.entries(now).map(([exposure, counts]) => {
      const earlier = then[exposure];
      return [exposure, earlier === undefined ? counts : added(counts, earlier)];
    }),
  );
}

function exposureSince(now: ExposureCounts, then: ExposureCounts): ExposureCounts {
  return {
    candidate: armSince(now.candidate, then.candidate),
    reference: armSince(now.reference, then.reference),
  };
}

function armSince(now: ArmCounts, then: ArmCounts): ArmCounts {
  return {
    requests: now.requests - then.requests,
    units: now.units - then.units,
    timedUnits: now.timedUnits - then.timedUnits,
    errors: now.errors - then.errors,
    slow: now.slow - then.slow,
    erredRequests: now.erredRequests - then.erredRequests,
    slowRequests: now.slowRequests - then.slowRequests,
  };
}

function sharesSince(now: ExposedCounts, then: ExposedCounts): ExposedCounts {
  return {
    candidate: countsSince(now.candidate, then.candidate),
    reference: countsSince(now.reference, then.reference),
  };
}

function feltSince(now: FeltByArm, then: FeltByArm): FeltByArm {
  const of = (arm: keyof FeltByArm): FeltCounts => ({
    requests: now[arm].requests - then[arm].requests,
    failed: now[arm].failed - then[arm].failed,
  });
  return { candidate: of('candidate'), reference: of('reference') };
}

function countsSince(now: ShareCounts, then: ShareCounts): ShareCounts {
  const added = Object.entries(now).map(
    ([share, count]) => [share, count - (then[share] ?? 0)] as const,
  );
  return Object.fromEntries(added.filter(([, count]) => count !== 0));
}

/** Blocks that began since then; their keys are `<length>:<number>`. */
function blocksSince<Counts extends readonly number[]>(
  blocks: BlockCounts<Counts>,
  sinceMs: number,
): BlockCounts<Counts> {
  return Object.fromEntries(
    Object.entries(blocks).filter(([key]) => {
      const [lengthMs = 0, number = 0] = key.split(':').map(Number);
      return lengthMs * number >= sinceMs;
    }),
  );
}
