/** A piece of fewer bytes is copied behind the one before: on its own it costs some hundred bytes, for any content. */
const SMALL_BYTES = 4_096;

/** Where small pieces are put together. */
const BLOCK_BYTES = 65_536;

/**
 * Pieces of something whose length is not known ahead, in the order in which they come. A caller may send a body a byte at a
 * time, so that what is kept is little more than the bytes themselves, however many pieces they came in.
 */
export class Pieces {
  readonly #kept: Buffer[] = [];
  #block = EMPTY;
  /** The part of the block that is written and not among the kept yet. */
  #from = 0;
  #to = 0;

  add(piece: Buffer): void {
    const isFirst = this.#kept.length === 0 && this.#to === 0;
    if (isFirst || piece.byteLength >= SMALL_BYTES) {
      this.#keepWritten();
      this.#kept.push(piece);
      return;
    }
    if (this.#block.byteLength - this.#to < piece.byteLength) this.#nextBlock();
    this.#block.set(piece, this.#to);
    this.#to += piece.byteLength;
  }

  /** All that came so far. */
  all(): readonly Buffer[] {
    this.#keepWritten();
    return this.#kept;
  }

  #nextBlock(): void {
    this.#keepWritten();
    this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.#from = 0;
    this.#to = 0;
  }

  /** The rest of the block is for the small pieces to come. */
  #keepWritten(): void {
    if (this.#to > this.#from) this.#kept.push(this.#block.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}

const EMPTY = Buffer.alloc(0);
