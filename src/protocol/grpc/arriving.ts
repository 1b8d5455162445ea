import type { ServerHttp2Stream } from 'node:http2';

/**
 * Looks at each piece of a request as it arrives, whether it is being read or not. A piece for which `take` gives false is
 * dropped, and so is all that follows it; one for which it gives other bytes is replaced by them.
 */
export function onArriving(
  stream: ServerHttp2Stream,
  take: (piece: Buffer) => boolean | Buffer,
): void {
  const push = stream.push.bind(stream);
  let isTaken = true;
  stream.push = (piece: Buffer | null, ...rest) => {
    if (piece === null) return push(piece, ...rest);
    if (!isTaken) return true;
    const taken = take(piece);
    isTaken = taken !== false;
    return isTaken ? push(taken instanceof Buffer ? taken : piece, ...rest) : true;
  };
}

/** Bytes in front of each message: whether it is compressed, and its length. */
export const PREFIX_BYTES = 5;

/** Follows the messages of a call through pieces that begin and end anywhere. */
export class MessageEnds {
  #prefixBytes = 0;
  #length = 0;
  #leftBytes = 0;
  /** Messages that have arrived in whole. */
  count = 0;

  /** True in the middle of a message. */
  get isWithin(): boolean {
    return this.#prefixBytes > 0;
  }

  add(piece: Uint8Array): void {
    for (let at = 0; at < piece.length; ) {
      at =
        this.#prefixBytes < PREFIX_BYTES ? this.#addPrefix(piece, at) : this.#addContent(piece, at);
      if (this.#prefixBytes < PREFIX_BYTES || this.#leftBytes > 0) continue;
      this.#prefixBytes = 0;
      this.count += 1;
    }
  }

  /** The first byte says whether the message is compressed. */
  #addPrefix(piece: Uint8Array, at: number): number {
    this.#length = this.#prefixBytes === 0 ? 0 : this.#length * 256 + (piece[at] ?? 0);
    this.#prefixBytes += 1;
    this.#leftBytes = this.#length;
    return at + 1;
  }

  #addContent(piece: Uint8Array, at: number): number {
    const taken = Math.min(this.#leftBytes, piece.length - at);
    this.#leftBytes -= taken;
    return at + taken;
  }
}
