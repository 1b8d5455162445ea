import type { LiveEnd, RolloutReport } from '../core/messages.ts';
import type { Outcome, Tap } from '../core/outcome.ts';
import { contentOf } from './content.ts';

export type LiveTapOptions = {
  /** Whether a rollout of the model takes reports. */
  readonly isWatched: (model: string) => boolean;
  readonly report: (report: RolloutReport) => void;
};

/** Reports the requests that were drawn between candidate and reference: once as each is assigned, once as it ends. */
export function createLiveTap({ isWatched, report }: LiveTapOptions): Tap {
  return (request, { by, exposure, side }) => {
    const { id: requestId, model, unit: assigned, attributes } = request;
    if (by !== 'split' || exposure === undefined || side === undefined) return undefined;
    if (!isWatched(model)) return undefined;
    // What is assigned by its own id never comes again.
    const unit = assigned === requestId ? undefined : assigned;
    report({ kind: 'assigned', model, requestId, drawn: { unit, side, exposure, attributes } });
    return (outcome) => {
      const end = { ...endOf(outcome), content: contentOf(request) };
      const outputs = outcome.kind === 'answer' ? outcome.response.outputs : undefined;
      report({ kind: 'ended', model, requestId, end, outputs });
    };
  };
}

/** What took longer than an arm on trial may has failed, be it that arm or stable in the place of control. */
function endOf(outcome: Outcome): LiveEnd {
  const { kind, startedMs, endedMs } = outcome;
  if (kind === 'failure') {
    const { code, failureKind, pausedUntilMs } = outcome;
    return { startedMs, endedMs, failure: code, failureKind, coversUntilMs: pausedUntilMs };
  }
  const { armEndedMs, response } = outcome;
  const { nonFinite } = response;
  if (armEndedMs === undefined) return { startedMs, endedMs, failure: undefined, nonFinite };
  return { startedMs, endedMs: armEndedMs, failure: 'deadline_exceeded' };
}
