import { ServeError } from '../core/errors.ts';

/** When a refused caller may try again: bodies arrive and answers leave within about this time. */
const RETRY_AFTER_MS = 1_000;

/**
 * Bounds the bytes of all requests together: bodies that are received or inflated, and answers that are written. The limits of
 * one body say nothing of how many there are.
 */
export class MemoryBudget {
  readonly bytesMax: number;
  #usedBytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Bytes held at present by requests that are not yet answered. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** For one request, until `release`. */
  open(): MemoryShare {
    let heldBytes = 0;
    let isOpen = true;
    return {
      take: (bytes) => {
        // What still arrives after the end of a request is held for no one.
        if (!isOpen) throw new ServeError('cancelled', 'The caller went away');
        if (this.#usedBytes + bytes > this.bytesMax) throw this.#full(bytes);
        this.#usedBytes += bytes;
        heldBytes += bytes;
      },
      release: () => {
        isOpen = false;
        this.#usedBytes -= heldBytes;
        heldBytes = 0;
      },
    };
  }

  #full(bytes: number): ServeError {
    return new ServeError(
      'memory_full',
      `requests in flight hold all memory set aside for them: expected at most ${this.bytesMax} bytes together, found ` +
        `${this.#usedBytes} and ${bytes} more. Retry later, or raise limits.memoryMax`,
      { retryAfterMs: RETRY_AFTER_MS },
    );
  }
}

/** What one request holds of the budget. */
export type MemoryShare = {
  /** @throws ServeError `memory_full` where the budget has no room for so many bytes; then nothing is taken. */
  readonly take: (bytes: number) => void;
  /** Gives everything back; nothing can be taken afterwards. */
  readonly release: () => void;
};
