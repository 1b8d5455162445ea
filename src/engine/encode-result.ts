import { systemClock } from '../core/clock.ts';
import { ServeError } from '../core/errors.ts';
import type { Observation } from '../core/outcome.ts';
import { encodeBuffer } from '../frame/encode-frame.ts';
import type { NonFiniteHit } from '../frame/frame.ts';

/** What came of a job, in an ArrayBuffer of its own. Outputs that no frame can carry are failures of the model. */
export function encodeResult(
  runs: readonly Observation[],
  nonFinite: readonly NonFiniteHit[],
): Uint8Array<ArrayBuffer> {
  try {
    return encodeBuffer({ kind: 'result', runs, nonFinite }, systemClock);
  } catch (error) {
    const message = `the model's outputs are too large: ${ServeError.from(error).message}`;
    const failure = { kind: 'failure', code: 'runtime_failed', message } as const;
    const failures = runs.map((run) => (run.kind === 'failure' ? run : failure));
    return encodeBuffer({ kind: 'result', runs: failures, nonFinite: [] }, systemClock);
  }
}
