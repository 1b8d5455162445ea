import { type Anchor, type AnchorMove, spentSince } from '../../core/anchor.ts';
import type { Rollout, RolloutSpec } from '../../core/rollout.ts';
import type { MetricStatus, Verdict } from '../../core/verdict.ts';

/** Changes of stable that are kept; older ones are added up. */
const MOVES_MAX = 100;

/** The anchor once a rollout is on record: the model's first makes its stable version one. */
export function anchorAtStart(
  anchor: Anchor | undefined,
  { spec }: Rollout,
  sinceMs: number,
): Anchor | undefined {
  if (anchor !== undefined || spec.anchor === undefined) return anchor;
  const { version, digest } = spec.anchor;
  return { version, digest, sinceMs, by: 'first', why: 'stable at the first rollout', moves: [] };
}

/** A promotion: `verdict` as it was decided on, undefined where a person promoted. */
export type Promotion = {
  readonly rollout: Rollout;
  readonly digest: string;
  readonly verdict: Verdict | undefined;
  readonly atMs: number;
};

/**
 * The anchor after a promotion: the candidate, where that is proven better than the anchor; else the same. Better than a stable
 * version that is worse than the anchor itself is not enough, or a small gain after each allowed loss would move the measure.
 */
export function anchorAfterPromotion(
  anchor: Anchor | undefined,
  { rollout: { id, spec }, digest, verdict, atMs }: Promotion,
): Anchor | undefined {
  if (anchor === undefined) return undefined;
  const version = spec.candidate;
  if (verdict !== undefined && lossAgainstAnchor(verdict, spec)?.superior === true) {
    const why = `${id} proved it better than ${anchor.version}`;
    const { before: _, ...before } = anchor;
    return { version, digest, sinceMs: atMs, by: 'superior', why, moves: [], before };
  }
  if (version === anchor.version) return { ...anchor, moves: [] };
  const loss = verdict && overallOf(verdict, 'labelledLoss')?.estimate;
  const sinceAnchor = verdict && overallOf(verdict, 'anchorLoss')?.estimate;
  return moved(anchor, { version, atMs, loss, ...(sinceAnchor !== undefined && { sinceAnchor }) });
}

/** The anchor once stable is another version by a route: what has been gone back on no longer counts. */
export function anchorAfterRoute(
  anchor: Anchor | undefined,
  stable: string,
  atMs: number,
): Anchor | undefined {
  if (anchor === undefined || presentOf(anchor) === stable) return anchor;
  // What was proven better has been taken back.
  if (anchor.before !== undefined && presentOf(anchor.before) === stable) return anchor.before;
  if (stable === anchor.version) return { ...anchor, moves: [] };
  const at = anchor.moves.findLastIndex(({ version }) => version === stable);
  if (at >= 0) return { ...anchor, moves: anchor.moves.slice(0, at + 1) };
  return moved(anchor, { version: stable, atMs, loss: undefined });
}

/** The version that stable is, as far as the anchor's moves tell. */
function presentOf({ version, moves }: Omit<Anchor, 'before'>): string {
  return moves.at(-1)?.version ?? version;
}

function moved(anchor: Anchor, move: AnchorMove): Anchor {
  const moves = [...anchor.moves, move];
  const [first, second, ...rest] = moves;
  if (moves.length <= MOVES_MAX || first === undefined || second === undefined)
    return { ...anchor, moves };
  const sum = { ...second, sinceAnchor: spentSince({ ...anchor, moves: [first, second] }).loss };
  return { ...anchor, moves: [sum, ...rest] };
}

/** The status of the loss against the anchor, over all requests; undefined: it was not judged. */
function lossAgainstAnchor(verdict: Verdict, spec: RolloutSpec): MetricStatus | undefined {
  return overallOf(verdict, spec.anchor?.version === spec.stable ? 'labelledLoss' : 'anchorLoss');
}

function overallOf(verdict: Verdict, metric: MetricStatus['metric']): MetricStatus | undefined {
  return verdict.metrics.find((status) => status.metric === metric && status.slice === undefined);
}
