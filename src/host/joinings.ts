import { ROW_RULE_VERSION } from '../batching/row-independence.ts';
import { type Joining, sharesRuns } from '../core/joining.ts';

/** Where the joining of one source begins, and whether its rows are to be probed. Plain data: it crosses the process border. */
export type JoiningSetting = { readonly joining: Joining; readonly probe: boolean };

/** Numbers the rule behind what is found of rows: findings of another rule do not hold. */
export const FINDING_RULE = ROW_RULE_VERSION;

/** A request that got another answer among others than alone, as it is kept. */
export type KeptExample = {
  readonly requestId: string;
  readonly difference: string;
  /** Rows of the run that it shared. */
  readonly rows: number;
  /** Data in base64; none where it is larger than what is kept. */
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly base64?: string;
  }[];
};

export type OnJoining = (source: number, joining: Joining, example?: KeptExample) => void;

/** Whether requests share the runs of each source of an executor, which a probe or an answer may change. */
export class Joinings {
  readonly #states: Joining[];
  readonly #onJoining: OnJoining;

  constructor(states: readonly Joining[], onJoining: OnJoining) {
    this.#states = [...states];
    this.#onJoining = onJoining;
  }

  get all(): readonly Joining[] {
    return this.#states;
  }

  /** Requests of a plan share a run only where they may for each of its sources. */
  readonly joins = (plan: readonly number[]): boolean =>
    plan.every((source) => {
      const state = this.#states[source];
      return state !== undefined && sharesRuns(state);
    });

  become(source: number, joining: Joining, example?: KeptExample): void {
    this.#states[source] = joining;
    this.#onJoining(source, joining, example);
  }

  /** Something speaks against joining: where it was declared that is a doubt, else the end of it. */
  doubt(source: number, because: string, example?: KeptExample): void {
    const isDeclared = this.#states[source]?.kind === 'declared';
    const joining: Joining = isDeclared
      ? { kind: 'declared', doubt: because }
      : { kind: 'off', because };
    this.become(source, joining, example);
  }
}
