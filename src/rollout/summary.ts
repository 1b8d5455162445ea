import type { CommandBy, Phase } from '../core/rollout.ts';
import type { VerdictKind } from '../core/verdict.ts';
import type { Trial } from './history/history.ts';
import type { RolloutStatus } from './status.ts';

/**
 * What ended a rollout: `evidence` a verdict, `limit` its time or samples were used up, `fault` a crash, a load or a version that did
 * not answer, `webhook` one that may roll back, `command` an operator.
 */
export type EndedBy = 'evidence' | 'limit' | 'fault' | 'webhook' | 'command';

/** One rollout in a list of a model's rollouts. */
export type RolloutSummary = Pick<
  RolloutStatus,
  | 'id'
  | 'model'
  | 'stable'
  | 'candidate'
  | 'intent'
  | 'claim'
  | 'phase'
  | 'why'
  | 'decidedBy'
  | 'startedMs'
  | 'durationMs'
  | 'digests'
  | 'record'
  | 'headHash'
> & {
  readonly verdict?: VerdictKind;
  /** Absent while it runs. */
  readonly endedMs?: number;
  readonly endedBy?: EndedBy;
  /** Who gave the command that ended it, and from where; absent in records of before. */
  readonly by?: CommandBy;
};

export type RolloutPage = {
  /** Newest first. */
  readonly rollouts: readonly RolloutSummary[];
  /** There are more: they follow this one. Absent: there are none. */
  readonly next?: string;
  /** Rollouts that are only in the ledger. */
  readonly older: number;
};

/** A rollout's state, in short. */
export function summaryOf(status: RolloutStatus, { rollout, decision, by }: Trial): RolloutSummary {
  const { id, model, stable, candidate, intent, claim, phase, why, decidedBy } = status;
  const { verdict, endedMs, startedMs, durationMs, digests, record, headHash } = status;
  const endedBy = endedByOf(rollout.phase, decision?.action.kind === 'promote');
  return {
    ...{ id, model, stable, candidate, intent, claim, phase },
    ...(verdict !== undefined && { verdict }),
    ...(endedBy !== undefined && { endedBy }),
    ...(endedBy === 'command' && by && { by }),
    ...{ decidedBy, why, startedMs },
    ...(endedMs !== undefined && { endedMs }),
    ...{ durationMs, digests, record, headHash },
  };
}

const LIMITS: ReadonlySet<string> = new Set(['maxDuration', 'maxSamples']);
const FAULTS: ReadonlySet<string> = new Set(['crashLoop', 'outOfMemory', 'loadFailed']);

function endedByOf(phase: Phase, isProven: boolean): EndedBy | undefined {
  switch (phase.kind) {
    case 'loading':
    case 'progressing':
    case 'paused':
    case 'holdback':
      return undefined;
    case 'promoted':
      if (phase.why !== undefined) return 'fault';
      return isProven ? 'evidence' : 'command';
    case 'rolledBack':
      if (phase.decidedBy.includes('undo')) return 'command';
      if (phase.decidedBy.includes('webhook')) return 'webhook';
      if (phase.decidedBy.some((name) => LIMITS.has(name))) return 'limit';
      return phase.decidedBy.some((name) => FAULTS.has(name)) ? 'fault' : 'evidence';
    case 'aborted':
      return 'command';
  }
}

/** Which part of a list is asked for. */
export type PageAsked = {
  readonly limit: number;
  /** Those that follow this one; undefined: from the newest on. */
  readonly before: string | undefined;
};

/** A part of a list that is oldest first, newest first; undefined where `before` is not in it. */
export function pageOf<Item>(
  items: readonly Item[],
  { limit, before }: PageAsked,
  idOf: (item: Item) => string,
): { readonly items: readonly Item[]; readonly next: string | undefined } | undefined {
  const end = before === undefined ? items.length : items.findIndex((it) => idOf(it) === before);
  if (end < 0) return undefined;
  const start = Math.max(0, end - limit);
  const shown = items.slice(start, end).reverse();
  const last = shown.at(-1);
  return { items: shown, next: start > 0 && last !== undefined ? idOf(last) : undefined };
}
