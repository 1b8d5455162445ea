import type { LiveObservation } from '../compare/live-window.ts';
import type { Outcome, Tap } from '../core/outcome.ts';

/** Where live observations of one rollout go. */
export type LiveSink = { readonly addLive: (live: LiveObservation) => void };

export type LiveTapOptions = {
  /** The window of the model's rollout; undefined while there is none. */
  readonly window: (model: string) => LiveSink | undefined;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** A request that has been assigned; `observation` is set once it has ended. */
type Slot = { observation: LiveObservation | undefined };

/**
 * Watches the requests that were drawn between candidate and reference and hands their outcomes on in the order of
 * assignment, not of ending: a slow arm's failures come late, and would be missing from any look taken before. A request
 * that is still under way holds back those assigned after it; deadlines bound how long, and so how many.
 */
export function createLiveTap({ window, onInternalError }: LiveTapOptions): Tap {
  const queues = new WeakMap<LiveSink, Slot[]>();

  const fold = (sink: LiveSink, queue: Slot[]): void => {
    let ended = 0;
    for (const { observation } of queue) {
      if (observation === undefined) break;
      ended += 1;
      try {
        sink.addLive(observation);
      } catch (thrown) {
        onInternalError('live tap', thrown);
      }
    }
    queue.splice(0, ended);
  };

  return ({ id, model, unit: assigned }, { by, exposure, side }) => {
    if (by !== 'split' || exposure === undefined || side === undefined) return undefined;
    const sink = window(model);
    if (sink === undefined) return undefined;
    // What is assigned by its own id never comes again.
    const unit = assigned === id ? undefined : assigned;
    const queue = queues.get(sink) ?? [];
    queues.set(sink, queue);
    const slot: Slot = { observation: undefined };
    queue.push(slot);
    return (outcome) => {
      slot.observation = { unit, side, exposure, ...endOf(outcome) };
      if (queue[0] === slot) fold(sink, queue);
    };
  };
}

/** What took longer than an arm on trial may has failed, be it that arm or stable in the place of control. */
function endOf(outcome: Outcome) {
  const { kind, startedMs, endedMs } = outcome;
  if (kind === 'failure') {
    const { code, pausedUntilMs } = outcome;
    return { startedMs, endedMs, failure: code, coversUntilMs: pausedUntilMs };
  }
  const { armEndedMs } = outcome;
  if (armEndedMs === undefined) return { startedMs, endedMs, failure: undefined };
  return { startedMs, endedMs: armEndedMs, failure: 'deadline_exceeded' as const };
}
