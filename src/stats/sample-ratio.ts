/**
 * Sample-ratio mismatch: do units arrive in the shares that they were assigned in? If not, something between assignment and
 * counting loses or doubles units of one arm, and no comparison of the arms can be believed.
 *
 * The conditional-event test with "an event" being any unit and the ratio 1, as the average of both directions: an e-process
 * for the null "the shares are as assigned", however often it is read.
 */
import { type ExposedEvents, mixtureOver } from './conditional-events.ts';
import { halfAndHalf, logEvidence } from './mixture.ts';

const TOO_MANY = [1.02, 1.05, 1.1, 1.25, 1.5, 2, 5];
const TOO_FEW = TOO_MANY.map((multiple) => 1 / multiple);

/** Natural logarithm of the e-value against "the shares are as assigned". Here `candidate` and `reference` count units. */
export function logSampleRatioMismatch(units: readonly ExposedEvents[]): number {
  return logEvidence(halfAndHalf(mixtureOver(units, 1, TOO_MANY), mixtureOver(units, 1, TOO_FEW)));
}
