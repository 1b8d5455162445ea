import type { VersionState } from '../core/version.ts';

/** Which state may follow which. `failed` and `unloaded` are final; a restart of its process is `loading` again. */
const NEXT: Readonly<Record<VersionState['kind'], readonly VersionState['kind'][]>> = {
  loading: ['ready', 'draining', 'failed'],
  ready: ['loading', 'draining', 'failed'],
  draining: ['unloaded', 'failed'],
  unloaded: [],
  failed: ['unloaded'],
};

/** True if a version may go from one state to the other. Staying is no move. */
export function mayBecome(from: VersionState['kind'], to: VersionState['kind']): boolean {
  return NEXT[from].includes(to);
}

/** The state of one version: refuses illegal moves and reports legal ones. */
export class VersionStateMachine {
  readonly #onState: (state: VersionState) => void;
  #state: VersionState = { kind: 'loading' };

  constructor(onState: (state: VersionState) => void) {
    this.#onState = onState;
    onState(this.#state);
  }

  get state(): VersionState {
    return this.#state;
  }

  /** A load has failed; one that was given up is no fault. */
  end(reason: string, signal: AbortSignal | undefined): void {
    if (signal?.aborted) {
      this.become({ kind: 'draining' });
      this.become({ kind: 'unloaded' });
    } else this.become({ kind: 'failed', reason });
  }

  /** Throws on a move that the table does not have: that is a bug of the caller. */
  become(state: VersionState): void {
    if (state.kind === this.#state.kind) return;
    if (!mayBecome(this.#state.kind, state.kind)) {
      throw new Error(`a version that is ${this.#state.kind} cannot become ${state.kind}`);
    }
    this.#state = state;
    this.#onState(state);
  }
}
