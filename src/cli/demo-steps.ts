import type { Clock } from '../core/clock.ts';
import type { TrialStatus } from '../demo/run-demo.ts';
import type { Trial } from '../demo/trials.ts';
import { colours } from './colours.ts';

export type StepsOptions = {
  readonly say: (line: string) => void;
  readonly clock: Pick<Clock, 'monotonicMs'>;
};

/** Without a line for so long it would look as if the demo hangs. */
const SILENT_MS_MAX = 10_000;

/** Without a terminal: a line for each step that is entered, and while one takes long, what it waits for. */
export function printSteps({
  say,
  clock,
}: StepsOptions): (trial: Trial, status: Pick<TrialStatus, 'step' | 'phase' | 'why'>) => void {
  let shown = '';
  let shownMs = Number.NEGATIVE_INFINITY;
  return (trial, { step, phase, why }) => {
    const where = step === undefined ? phase : `${step.number}/${step.of} ${step.task}`;
    const isNew = shown !== `${trial.candidate} ${where}`;
    const nowMs = clock.monotonicMs();
    if (!isNew && nowMs - shownMs < SILENT_MS_MAX) return;
    shown = `${trial.candidate} ${where}`;
    shownMs = nowMs;
    if (isNew) say(step === undefined ? `  ${phase}: ${why}` : `  step ${where}`);
    else say(colours.dim(`    still at it: ${why}`));
  };
}
