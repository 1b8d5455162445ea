import { ServeError } from '../core/errors.ts';

/** When a refused caller may try again: bodies arrive and answers leave within about this time. */
const RETRY_AFTER_MS = 1_000;

/** A request that holds no more than this is small. */
const SMALL_BYTES = 65_536;

/** One part in so many of the budget is kept for small requests, so that large ones that stay never take the last of it. */
const PARTS = 8;

/**
 * Bounds the bytes of all requests together, over all protocols: messages that are received, inflated and decoded, and answers
 * that are written. The limits of one request say nothing of how many there are.
 */
export class MemoryBudget {
  #bytesMax = 0;
  #largeBytesMax = 0;
  #usedBytes = 0;

  constructor(bytesMax: number) {
    this.resize(bytesMax);
  }

  get bytesMax(): number {
    return this.#bytesMax;
  }

  /** What is held already beyond a smaller budget stays held until its requests are answered. */
  resize(bytesMax: number): void {
    this.#bytesMax = bytesMax;
    this.#largeBytesMax = bytesMax - Math.floor(bytesMax / PARTS);
  }

  /** The smallest budget in which one request can hold so many bytes. */
  static for(requestBytes: number): number {
    return Math.ceil((requestBytes * PARTS) / (PARTS - 1));
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
        // Bytes that arrive after the end of a request are not counted.
        if (!isOpen) throw new ServeError('cancelled', 'The caller went away');
        if (this.#usedBytes + bytes > this.#boundFor(heldBytes + bytes)) throw this.#full(bytes);
        this.#usedBytes += bytes;
        heldBytes += bytes;
      },
      give: (bytes) => {
        const given = Math.min(bytes, heldBytes);
        this.#usedBytes -= given;
        heldBytes -= given;
      },
      release: () => {
        isOpen = false;
        this.#usedBytes -= heldBytes;
        heldBytes = 0;
      },
    };
  }

  #boundFor(requestBytes: number): number {
    return requestBytes <= SMALL_BYTES ? this.bytesMax : this.#largeBytesMax;
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
  /** Gives so many bytes back, or all that are held where those are fewer. */
  readonly give: (bytes: number) => void;
  /** Gives everything back; nothing can be taken afterwards. */
  readonly release: () => void;
};
