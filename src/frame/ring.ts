import { closeSync, readSync, writeSync, writevSync } from 'node:fs';
import { FrameError } from './frame-error.ts';
import { openUnnamed, SHARED_MEMORY } from './unnamed-file.ts';

/**
 * One direction of shared memory between the gateway and a child: a file in memory that both have open and that has no name, so
 * the system takes it back when the last of the two ends. Frames lie in it one after another, round and
 * round; a doorbell on the socket says where each one is. Its first block holds how far the reader has come.
 *
 * It is written and read like a file and never mapped: where the system has no memory left for it, a write fails, the
 * frame goes over the socket, and no process dies.
 */
const BLOCK_BYTES = 4096;
/** A power of two, so that numbers of blocks may wrap around at 2^32. */
const BLOCKS = 4096;

/** The file of one direction, for both of its ends. Undefined where the system has no such memory, or none left. */
export function openRing(folder = SHARED_MEMORY): number | undefined {
  let fd: number | undefined;
  try {
    fd = openUnnamed(folder);
    // The first block is taken now: what both ends say there can always be said.
    writeSync(fd, Buffer.alloc(4), 0, 4, 0);
    return fd;
  } catch {
    // Full memory lets a file be made and takes not a byte of it: a descriptor for each restart would be lost.
    if (fd !== undefined) closeSync(fd);
    return undefined;
  }
}

/** The end that writes. Begins where the reader is. */
export class RingWriter {
  #fd: number | undefined;
  readonly #position = Buffer.alloc(4);
  /** Blocks given out since the beginning, and those of them that the reader is known to have read, both modulo 2^32. */
  #given: number;
  #read: number;

  constructor(fd: number) {
    this.#fd = fd;
    this.#given = this.#readPosition(fd);
    this.#read = this.#given;
  }

  /** What the reader has not yet read, with the gaps between. */
  get waitingBytes(): number {
    if (this.#given !== this.#read) this.#askReader();
    return this.#waiting() * BLOCK_BYTES;
  }

  /** Puts a frame down, and says where; undefined where there is no room for it now. */
  put(chunks: readonly Uint8Array[], bytes: number): number | undefined {
    const blocks = Math.ceil(bytes / BLOCK_BYTES);
    if (this.#fd === undefined || blocks > BLOCKS) return undefined;
    if (this.#given !== this.#read) this.#askReader();
    const at = this.#place(blocks);
    if (at === undefined || writeAt(this.#fd, chunks, offsetOf(at)) !== bytes) return undefined;
    this.#given = (at + blocks) >>> 0;
    return at;
  }

  /** Nothing is put down from here on. The caller closes the descriptor. */
  close(): void {
    this.#fd = undefined;
  }

  /** A place of so many blocks without a break in it. */
  #place(blocks: number): number | undefined {
    const passed = this.#given % BLOCKS;
    const start = (this.#given + BLOCKS - passed) >>> 0;
    if (this.#given === this.#read) {
      // Always the same few pages while the reader keeps up: they are in the processor's cache, and the rest is never taken.
      if (passed > 0) {
        this.#given = start;
        this.#read = start;
      }
      return this.#given;
    }
    const at = passed + blocks <= BLOCKS ? this.#given : start;
    const end = (at + blocks) >>> 0;
    return (end - this.#read) >>> 0 <= BLOCKS ? at : undefined;
  }

  #waiting(): number {
    return (this.#given - this.#read) >>> 0;
  }

  #askReader(): void {
    if (this.#fd === undefined) return;
    const read = this.#readPosition(this.#fd);
    // After the ring was found empty we moved on by ourselves; the reader learns of it with the next frame.
    if ((this.#given - read) >>> 0 < this.#waiting()) this.#read = read;
  }

  #readPosition(fd: number): number {
    readSync(fd, this.#position, 0, 4, 0);
    return this.#position.readUInt32LE(0);
  }
}

/** The end that reads, in the order in which frames were put down. */
export class RingReader {
  readonly #fd: number;
  readonly #position = Buffer.alloc(4);

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** The frame that lies there, in memory of its own; its place may be used again. Throws FrameError where none can lie. */
  take(at: number, bytes: number): Uint8Array {
    const blocks = Math.ceil(bytes / BLOCK_BYTES);
    if ((at % BLOCKS) + blocks > BLOCKS) {
      throw new FrameError(`expected at most ${BLOCKS} blocks, found ${blocks} at ${at}`);
    }
    const frame = Buffer.allocUnsafeSlow(bytes);
    const found = readSync(this.#fd, frame, 0, bytes, offsetOf(at));
    if (found !== bytes) throw new FrameError(`expected ${bytes} bytes, found ${found}`);
    this.#position.writeUInt32LE((at + blocks) >>> 0);
    writeSync(this.#fd, this.#position, 0, 4, 0);
    return frame;
  }
}

function offsetOf(at: number): number {
  return (1 + (at % BLOCKS)) * BLOCK_BYTES;
}

/** Bytes written; fewer where the system has no memory left, which leaves the file as good as before. */
function writeAt(fd: number, chunks: readonly Uint8Array[], offset: number): number {
  try {
    return writevSync(fd, chunks, offset);
  } catch {
    return 0;
  }
}
