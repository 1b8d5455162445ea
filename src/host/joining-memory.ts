import type { Joining } from '../core/joining.ts';
import type { JoiningSetting, KeptExample, OnJoining } from './joinings.ts';

/** What one process found of its sources' rows, for the process after it. */
export class JoiningMemory {
  readonly #onJoining: OnJoining;
  #settings: readonly JoiningSetting[];
  /** The source whose rows the process is probing. */
  #probed: number | undefined;

  constructor(settings: readonly JoiningSetting[], onJoining: OnJoining) {
    this.#settings = settings;
    this.#onJoining = onJoining;
  }

  get settings(): readonly JoiningSetting[] {
    return this.#settings;
  }

  readonly joinings = (): readonly Joining[] => this.#settings.map(({ joining }) => joining);

  readonly onProbe = (source: number): void => {
    this.#probed = source;
  };

  readonly onJoining = (source: number, joining: Joining, example?: KeptExample): void => {
    if (this.#probed === source) this.#probed = undefined;
    this.#settings = this.#settings.map((each, at) =>
      at === source ? { joining, probe: false } : each,
    );
    this.#onJoining(source, joining, example);
  };

  /** The process has ended. True if it was probing: the next one does not. */
  abandonProbe(): boolean {
    const source = this.#probed;
    if (source === undefined) return false;
    const because = 'its process ended while its rows were probed';
    const isDeclared = this.#settings[source]?.joining.kind === 'declared';
    this.onJoining(
      source,
      isDeclared ? { kind: 'declared', doubt: because } : { kind: 'off', because },
    );
    return true;
  }
}
