import type { Life } from '../core/version.ts';

/** From which life to which a version may go. `failed` and `unloaded` are final; a restart of its process is `loading` again. */
const NEXT: Readonly<Record<Life['kind'], readonly Life['kind'][]>> = {
  loading: ['ready', 'draining', 'failed'],
  ready: ['loading', 'draining', 'failed'],
  draining: ['unloaded', 'failed'],
  unloaded: [],
  failed: ['unloaded'],
};

/** True if a version may go from one life to the other. Staying is no move. */
export function mayBecome(from: Life['kind'], to: Life['kind']): boolean {
  return NEXT[from].includes(to);
}

/** Holds one version's life, refuses illegal moves, and tells of legal ones. */
export class Lifeline {
  readonly #onLife: (life: Life) => void;
  #life: Life = { kind: 'loading' };

  constructor(onLife: (life: Life) => void) {
    this.#onLife = onLife;
    onLife(this.#life);
  }

  get life(): Life {
    return this.#life;
  }

  /** A load has failed; one that was given up is no fault. */
  end(reason: string, signal: AbortSignal | undefined): void {
    if (signal?.aborted) {
      this.become({ kind: 'draining' });
      this.become({ kind: 'unloaded' });
    } else this.become({ kind: 'failed', reason });
  }

  /** Throws on a move that the table does not have: that is a bug of the caller. */
  become(life: Life): void {
    if (life.kind === this.#life.kind) return;
    if (!mayBecome(this.#life.kind, life.kind)) {
      throw new Error(`a version that is ${this.#life.kind} cannot become ${life.kind}`);
    }
    this.#life = life;
    this.#onLife(life);
  }
}
