import { type FileHandle, link, open, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LedgerGoneError } from './ledger.ts';

/** The part of an open file that the ledger uses; a test passes one that fails. */
export type SegmentHandle = Pick<
  FileHandle,
  'appendFile' | 'sync' | 'truncate' | 'stat' | 'read' | 'close'
>;

export type OpenFile = (path: string) => Promise<SegmentHandle>;

/** Opens a file for appending, creating it; readable, so that a file which is deleted while open can be written again. */
export const openForAppending: OpenFile = (path) => open(path, 'a+');

/** Where the open file is: under its name, deleted, moved away, or another file lies under its name. */
export type Place = 'here' | 'deleted' | 'moved' | 'replaced';

const COPY_CHUNK_BYTES = 1024 * 1024;

/**
 * The file that records are added to. `bytes` is where the last acknowledged record ends; after a write that failed (`isDirty`)
 * everything beyond is to be cut before anything else is written, so a full disk costs the record and not the chain.
 */
export class Segment {
  readonly path: string;
  readonly #handle: SegmentHandle;
  #bytes: number;
  #isDirty = false;

  private constructor(path: string, handle: SegmentHandle, bytes: number) {
    this.path = path;
    this.#handle = handle;
    this.#bytes = bytes;
  }

  static async open(path: string, bytes: number, openFile: OpenFile): Promise<Segment> {
    return new Segment(path, await openFile(path), bytes);
  }

  get bytes(): number {
    return this.#bytes;
  }

  isDirty(): boolean {
    return this.#isDirty;
  }

  /** Writes behind the last record, through to the disk. The bytes count only once `accept` says so. */
  async write(bytes: Buffer): Promise<void> {
    this.#isDirty = true;
    await this.#handle.appendFile(bytes);
    await this.#handle.sync();
  }

  /** The bytes that were written are part of the ledger from here on. */
  accept(length: number): void {
    this.#isDirty = false;
    this.#bytes += length;
  }

  /**
   * Removes what a write that does not count has left. Fails on a file that refuses writes, even where nothing is left.
   *
   * @throws LedgerGoneError where the file is shorter than it was: to make it longer again would fill it with zeros.
   */
  async cut(): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size < this.#bytes) throw this.#cutShort(size);
    await this.#handle.truncate(this.#bytes);
    await this.#handle.sync();
    this.#isDirty = false;
  }

  async place(): Promise<Place> {
    // One after the other: a disk that hangs holds one thread.
    const mine = await this.#handle.stat();
    const found = await statOrNothing(this.path);
    if (found === undefined) return mine.nlink === 0 ? 'deleted' : 'moved';
    return found.ino === mine.ino && found.dev === mine.dev ? 'here' : 'replaced';
  }

  /**
   * Whether the file ends where it should; `grown`: another process has written to it. For a segment that is not dirty.
   *
   * @throws LedgerGoneError where the file lies elsewhere, or is shorter than it was.
   */
  async check(): Promise<'sound' | 'grown'> {
    const place = await this.place();
    if (place !== 'here') throw new LedgerGoneError(`${this.path} was ${place}`);
    const { size } = await this.#handle.stat();
    if (size < this.#bytes) throw this.#cutShort(size);
    return size === this.#bytes ? 'sound' : 'grown';
  }

  /** Writes the records of a deleted file under its name again; never over a file that lies there by now. */
  async restore(): Promise<void> {
    const aside = `${this.path}.restored`;
    try {
      const copy = await open(aside, 'w');
      try {
        await this.#copyTo(copy);
        await copy.sync();
      } finally {
        await copy.close();
      }
      await link(aside, this.path);
    } finally {
      await rm(aside, { force: true });
    }
    await syncDirectory(dirname(this.path));
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #cutShort(size: number): LedgerGoneError {
    return new LedgerGoneError(
      `${this.path} was cut short: expected ${this.#bytes} bytes, found ${size}`,
    );
  }

  async #copyTo(copy: FileHandle): Promise<void> {
    const chunk = Buffer.alloc(COPY_CHUNK_BYTES);
    for (let at = 0; at < this.#bytes; ) {
      const length = Math.min(chunk.length, this.#bytes - at);
      const { bytesRead } = await this.#handle.read(chunk, 0, length, at);
      if (bytesRead === 0) throw new LedgerGoneError(`${this.path} was deleted and cut short`);
      await copy.appendFile(chunk.subarray(0, bytesRead));
      at += bytesRead;
    }
  }
}

/** Makes a new name in a directory survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function statOrNothing(path: string): Promise<{ ino: number; dev: number } | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
