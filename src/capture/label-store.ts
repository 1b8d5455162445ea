/**
 * What waits for labels, on disk: append-only files of JSON lines, so that requests and labels of days outlive a restart and a
 * `kill -9`. Nothing waits for this disk: lines are written in the background, a tenth of a second together, and where the disk
 * is full or does not answer they are lost for the next process only.
 *
 * A file is deleted once all that its lines are about has been counted, and the oldest ones where they are too many bytes.
 */
import { open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { BoundedQueue } from '../disk/bounded-queue.ts';
import { makeDirectory } from '../disk/make-directory.ts';

/**
 * A kept request or a label of one: `[p, atMs, id, unit, sameAs, payload, losses, key?]`, `[l, atMs, id, losses, key?]`. `key` is the
 * label's (`labelKey`), so that the next process finds one that contradicts it; lines of before it was kept have none. And what a caller's id of a request stands for,
 * `[i, atMs, id, key, anyKey]`, see `SentIds`.
 */
export type StoredLine =
  | readonly [
      kind: 'p',
      atMs: number,
      id: string,
      unit: string | null,
      sameAs: string | null,
      payload: unknown,
      losses: readonly number[] | null,
      key?: string,
    ]
  | readonly [kind: 'l', atMs: number, id: string, losses: readonly number[], key?: string]
  | readonly [kind: 'i', atMs: number, id: string, key: string, anyKey: string | null];

export type LabelStoreOptions = {
  readonly folder: string;
  /** A folder around it: all in there `but` one belongs to rollouts that have ended, and is deleted. */
  readonly ended: { readonly among: string; readonly but: string };
  /** Of all files together; asked each time, so that it may change. */
  readonly bytesMax: () => number;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** Called with what the disk did, once until it works again. */
  readonly onError: (error: unknown) => void;
};

/** Files that the bytes are spread over: the smallest part that can be deleted. */
const FILES = 16;

const FLUSH_MS = 100;
const DISK_MS_MAX = 5_000;

/** Lines that wait for the disk at most, bytes; beyond, lines are lost. */
const BUFFER_BYTES_MAX = 4 * 1024 * 1024;

const FILE_NAME = /^\d{8}\.jsonl$/;

type StoreFile = { readonly name: string; bytes: number; lastMs: number };

export class LabelStore {
  readonly #options: LabelStoreOptions;
  readonly #queue = new BoundedQueue({ disk: 'the waiting labels', msMax: DISK_MS_MAX });
  /** Oldest first; the last one is written to. */
  readonly #files: StoreFile[] = [];
  #lines: string[] = [];
  #lineBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #isBroken = false;
  #isClosed = false;

  constructor(options: LabelStoreOptions) {
    this.#options = options;
  }

  /** Never blocks and never throws. */
  append(line: string): void {
    if (this.#isClosed || this.#lineBytes > BUFFER_BYTES_MAX) return;
    this.#lines.push(line);
    this.#lineBytes += line.length;
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }

  /** All lines of an earlier process, in their order; what is torn or broken is left out. Never rejects. */
  async read(): Promise<readonly StoredLine[]> {
    const lines: StoredLine[] = [];
    await this.#run(async () => {
      await makeDirectory(this.#options.folder);
      await this.#deleteEnded();
      for (const name of await this.#names()) {
        const text = await readFile(this.#path(name), 'utf8');
        const read = text.split('\n').flatMap(parsedLine);
        // Not spread into one call: a file has more lines than a call may have arguments.
        for (const line of read) lines.push(line);
        const lastMs = read.reduce((latest, [, atMs]) => Math.max(latest, atMs), 0);
        this.#files.push({ name, bytes: text.length, lastMs });
      }
    });
    // What was torn by the end of the last process must not run into the next line: a file is never gone on with.
    this.#begin();
    return lines;
  }

  /** Deletes files of which no line is newer than this; wall clock. */
  forget(beforeMs: number): void {
    while (this.#files.length > 1 && (this.#files[0]?.lastMs ?? 0) < beforeMs) this.#deleteOldest();
  }

  /** Writes what has not been written; a disk that does not answer is not waited for. */
  async close(): Promise<void> {
    await this.flush();
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Deletes everything. */
  async remove(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#lines = [];
    await this.#run(() => rm(this.#options.folder, { recursive: true, force: true }));
  }

  /** Writes what waits for the disk now. Never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isClosed || this.#lines.length === 0) return;
    if (this.#queue.isStuck()) {
      this.#timer = setTimeout(() => void this.flush(), FLUSH_MS).unref();
      return;
    }
    const text = `${this.#lines.join('\n')}\n`;
    this.#lines = [];
    this.#lineBytes = 0;
    const file = this.#present();
    file.bytes += text.length;
    file.lastMs = Math.max(file.lastMs, this.#options.clock.wallMs());
    await this.#run(async () => {
      await makeDirectory(this.#options.folder);
      const handle = await open(this.#path(file.name), 'a', 0o600);
      await handle.writeFile(text).finally(() => handle.close());
    });
    // What failed may have left half a line.
    if (this.#isBroken) this.#begin();
    this.#bound();
  }

  #present(): StoreFile {
    const last = this.#files.at(-1);
    const isFull = last !== undefined && last.bytes >= this.#options.bytesMax() / FILES;
    return last === undefined || isFull ? this.#begin() : last;
  }

  #begin(): StoreFile {
    const number = Number(this.#files.at(-1)?.name.slice(0, 8) ?? 0) + 1;
    const file = { name: `${String(number).padStart(8, '0')}.jsonl`, bytes: 0, lastMs: 0 };
    this.#files.push(file);
    return file;
  }

  #bound(): void {
    const total = (): number => this.#files.reduce((sum, { bytes }) => sum + bytes, 0);
    while (this.#files.length > 1 && total() > this.#options.bytesMax()) this.#deleteOldest();
  }

  #deleteOldest(): void {
    const oldest = this.#files.shift();
    if (oldest !== undefined) void this.#run(() => rm(this.#path(oldest.name), { force: true }));
  }

  async #deleteEnded(): Promise<void> {
    const { among, but } = this.#options.ended;
    for (const name of await readdir(among)) {
      if (name !== but) await rm(join(among, name), { recursive: true, force: true });
    }
  }

  async #names(): Promise<readonly string[]> {
    const names = await readdir(this.#options.folder);
    return names.filter((name) => FILE_NAME.test(name)).sort();
  }

  #path(name: string): string {
    return join(this.#options.folder, name);
  }

  /** A disk that fails costs what was to be written, and is reported once. */
  async #run(work: () => Promise<void>): Promise<void> {
    try {
      await this.#queue.run(work);
      this.#isBroken = false;
    } catch (error) {
      if (!this.#isBroken) this.#options.onError(error);
      this.#isBroken = true;
    }
  }
}

function parsedLine(text: string): readonly StoredLine[] {
  try {
    const value: unknown = JSON.parse(text);
    return isStoredLine(value) ? [value] : [];
  } catch {
    return [];
  }
}

function isStoredLine(value: unknown): value is StoredLine {
  if (!Array.isArray(value)) return false;
  const [kind, atMs, id] = value as readonly unknown[];
  if (typeof atMs !== 'number' || typeof id !== 'string') return false;
  if (kind === 'i') return value.length === 5 && typeof value[3] === 'string';
  const length = kind === 'p' ? 7 : kind === 'l' ? 4 : Number.NaN;
  return (
    value.length === length || (value.length === length + 1 && typeof value[length] === 'string')
  );
}
