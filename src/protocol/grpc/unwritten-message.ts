import { messageWriter } from './library-internals.ts';
import { WIRE } from './wire-reader.ts';
import { varintBytes } from './wire-writer.ts';

/** What a method may answer with. */
export type Sendable = Buffer | UnwrittenMessage;

/** Parts of a message: the bytes of its first fields, and a repeated field of bytes that comes last. */
export type MessageParts = {
  readonly head: Buffer;
  readonly field: number;
  readonly items: readonly Uint8Array[];
};

/**
 * A message that is not in one piece yet. The library copies what it sends behind a prefix of five bytes; a message that can be
 * copied, and has a length, is all that it needs for that, so that tensors are copied once and not twice.
 */
export class UnwrittenMessage {
  readonly #parts: MessageParts;
  readonly byteLength: number;

  constructor(parts: MessageParts) {
    this.#parts = parts;
    this.byteLength = parts.head.length + itemsBytes(parts.items);
  }

  /** As a Buffer does: writes all of it to the target from there on, and returns how much that was. */
  copy(target: Buffer, start: number): number {
    const { head, field, items } = this.#parts;
    let at = start + head.copy(target, start);
    for (const item of items) {
      target[at] = (field << 3) | WIRE.bytes;
      at = writeLength(target, item.length, at + 1);
      target.set(item, at);
      at += item.length;
    }
    return at - start;
  }

  toBuffer(): Buffer {
    const message = Buffer.allocUnsafe(this.byteLength);
    this.copy(message, 0);
    return message;
  }
}

/** The bytes of a repeated field of these items, whose number is below 16. */
export function itemsBytes(items: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const { length } of items) bytes += 1 + varintBytes(length) + length;
  return bytes;
}

function writeLength(target: Buffer, length: number, start: number): number {
  let [rest, at] = [length, start];
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    target[at] = (rest % 0x80) | 0x80;
    at += 1;
  }
  target[at] = rest;
  return at + 1;
}

/** Whether the library, in the version that is there, sends an unwritten message as it would the same one in bytes. */
export function sendsUnwritten(): boolean {
  const message = new UnwrittenMessage({ head: Buffer.from([1]), field: 1, items: [PROBE] });
  const call = { handler: { serialize: () => message } };
  try {
    const sent = messageWriter()?.(call, message);
    return sent instanceof Buffer && sent.equals(SENT);
  } catch {
    return false;
  }
}

const PROBE = Uint8Array.of(2, 3);
const SENT = Buffer.from([0, 0, 0, 0, 5, 1, 0x0a, 2, 2, 3]);
