/** In front of each message: a byte that says whether it is compressed, and its length in four. */
const PREFIX_BYTES = 5;
/** Of an answer, as for HTTP. */
const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

/** Frames requests. They come again and again in a load: each is framed once. */
export class Framer {
  /** What follows each message in another write, as a part of it. */
  readonly #tailBytes: number;
  readonly #framed = new WeakMap<Uint8Array, Buffer>();

  constructor({ tailBytes = 0 } = {}) {
    this.#tailBytes = tailBytes;
  }

  /** The message as it goes over the wire, uncompressed and without its tail. */
  frame(message: Uint8Array): Buffer {
    const known = this.#framed.get(message);
    if (known !== undefined) return known;
    const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.byteLength);
    framed[0] = 0;
    framed.writeUInt32BE(message.byteLength + this.#tailBytes, 1);
    framed.set(message, PREFIX_BYTES);
    this.#framed.set(message, framed);
    return framed;
  }
}

/** A message that cannot be read: what is wrong with it, as a kind of error. */
export class MessageError extends Error {}

/** Takes what comes over a stream, in pieces of any size, and gives the messages in it without their prefixes. */
export class MessageReader {
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** Until so many have come there is nothing to look at. */
  #needed = PREFIX_BYTES;

  /** True: what came last was the end of a message. */
  get isBetweenMessages(): boolean {
    return this.#bytes === 0;
  }

  /** The messages that this piece makes whole, most often one or none; views of what came. Throws a MessageError. */
  take(piece: Buffer): readonly Buffer[] {
    if (this.#bytes === 0 && isOneMessage(piece)) return [piece.subarray(PREFIX_BYTES)];
    this.#pieces.push(piece);
    this.#bytes += piece.byteLength;
    if (this.#bytes < this.#needed) return [];
    return this.#split(this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces));
  }

  #split(come: Buffer): readonly Buffer[] {
    const messages: Buffer[] = [];
    let at = 0;
    let needed = PREFIX_BYTES;
    while (come.byteLength - at >= PREFIX_BYTES) {
      if (come[at] !== 0) throw new MessageError('compressed answer');
      const bytes = come.readUInt32BE(at + 1);
      if (bytes > MESSAGE_BYTES_MAX) throw new MessageError('too long an answer');
      needed = PREFIX_BYTES + bytes;
      if (come.byteLength - at < needed) break;
      messages.push(come.subarray(at + PREFIX_BYTES, at + needed));
      at += needed;
      needed = PREFIX_BYTES;
    }
    const rest = come.subarray(at);
    this.#pieces = rest.byteLength === 0 ? [] : [rest];
    this.#bytes = rest.byteLength;
    this.#needed = needed;
    return messages;
  }
}

/** What most pieces are. */
function isOneMessage(piece: Buffer): boolean {
  return (
    piece.byteLength >= PREFIX_BYTES &&
    piece[0] === 0 &&
    piece.readUInt32BE(1) === piece.byteLength - PREFIX_BYTES
  );
}
