import fc from 'fast-check';
import type { ServeErrorCode } from '../../src/core/errors.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { anAssignment, answered, aRequest, failed, type Stage, settle } from './builders.ts';

type Code = ServeErrorCode | undefined;

/** One thing that happens around a mirror. `which` picks among what is open at that moment; no code: it went well. */
export type Step =
  | { readonly step: 'arrive' | 'settle' | 'drain' }
  | { readonly step: 'endLive' | 'endRun'; readonly which: number; readonly code: Code }
  | { readonly step: 'tick'; readonly ms: number };

const liveCodes: readonly Code[] = [undefined, 'cancelled', 'overloaded', 'runtime_failed'];
const runCodes: readonly Code[] = [undefined, 'host_lost', 'deadline_exceeded', 'overloaded'];

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ step: fc.constant('arrive') }) },
  { weight: 6, arbitrary: fc.record({ step: fc.constant('settle') }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('drain') }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('tick'), ms: fc.nat(80) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      step: fc.constant('endLive'),
      which: fc.nat(9),
      code: fc.constantFrom(...liveCodes),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      step: fc.constant('endRun'),
      which: fc.nat(9),
      code: fc.constantFrom(...runCodes),
    }),
  },
);

export const histories: fc.Arbitrary<readonly Step[]> = fc.array(steps, { maxLength: 60 });

/** Plays a history on a stage, and then lets all that is still open end. */
export class History {
  readonly #stage: Stage;
  readonly #live: ((outcome: Outcome) => void)[] = [];
  #arrived = 0;
  /** Requests that ended, and not by their caller's fault. */
  eligible = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async play(history: readonly Step[]): Promise<void> {
    for (const step of history) await this.#step(step);
    while (this.#live.length > 0) this.#endLive(0, undefined);
    for (let turn = 0; turn < 80 && this.#stage.events.length < this.eligible; turn += 1) {
      await settle();
      while (this.#stage.shadow.runs.length > 0) this.#endRun(0, undefined);
    }
  }

  async #step(step: Step): Promise<void> {
    switch (step.step) {
      case 'arrive':
        return this.#arrive();
      case 'endLive':
        return this.#endLive(step.which, step.code);
      case 'endRun':
        return this.#endRun(step.which, step.code);
      case 'tick':
        return this.#stage.clock.advance(step.ms);
      case 'drain':
        void this.#stage.mirror.drain();
        return;
      case 'settle':
        return settle();
    }
  }

  #arrive(): void {
    this.#arrived += 1;
    const watcher = this.#stage.mirror.tap(aRequest(`r${this.#arrived}`), anAssignment());
    if (watcher !== undefined) this.#live.push(watcher);
  }

  #endLive(which: number, code: Code): void {
    const watcher = takeOne(this.#live, which);
    if (watcher === undefined) return;
    if (code !== 'cancelled') this.eligible += 1;
    watcher(code === undefined ? answered() : failed(code));
  }

  #endRun(which: number, code: Code): void {
    const run = takeOne(this.#stage.shadow.runs, which);
    if (code === undefined) run?.answer();
    else run?.reject(code);
  }
}

function takeOne<T>(items: T[], which: number): T | undefined {
  return items.splice(which % Math.max(items.length, 1), 1)[0];
}
