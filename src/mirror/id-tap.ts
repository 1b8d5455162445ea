import type { RolloutReport } from '../core/messages.ts';
import type { Tap } from '../core/outcome.ts';

export type IdTapOptions = {
  /** Whether a rollout of the model takes reports. */
  readonly isWatched: (model: string) => boolean;
  readonly report: (report: RolloutReport) => void;
};

/** Reports the ids that callers gave to their requests, whichever version these went to: an id that comes twice names no request. */
export function createIdTap({ isWatched, report }: IdTapOptions): Tap {
  return ({ sentId, model, id: requestId, caller }) => {
    if (sentId !== undefined && isWatched(model))
      report({ kind: 'named', model, requestId, sentId, caller });
    return undefined;
  };
}
