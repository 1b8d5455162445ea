/**
 * The API keys of a folder, in memory, as they are on disk. The folder is looked at twice a second; its files are read again when
 * something was added, replaced or removed in it, and every ten seconds in any case. A key counts only while its file says so: one
 * that cannot be read, that others may change, or that is no key, does not pass, and the log names it. Where the disk does not answer,
 * or the process may open no further file, the keys stay as they were.
 */
import { timingSafeEqual } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { KeyFile } from '../config/key-file.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { counted } from '../core/text.ts';
import { BoundedQueue, DiskHungError } from '../disk/bounded-queue.ts';
import { digestOf, keyIdOf, type Pepper } from './api-key.ts';
import { KEYS_MAX, keyPath, listKeys, readKey, readPepper } from './key-folder.ts';
import { folderComplaintOf, ownUser } from './private-file.ts';

const LOOK_MS = 500;
const READ_ALL_MS = 10_000;
/** A file system may give two changes within this time the same time stamp. */
const SAME_STAMP_MS = 2_000;
const DISK_MS_MAX = 5_000;
/** How many files are looked at together. */
const TOGETHER = 32;

/** Why a key does not pass. */
export type KeyRefusal = 'malformed' | 'unknown' | 'expired' | 'revoked';

export type KeyCheck =
  | { readonly kind: 'key'; readonly key: KeyFile }
  | { readonly kind: 'refused'; readonly why: KeyRefusal; readonly key?: KeyFile };

/** What became of a key while the gateway ran. */
export type KeyChange = {
  readonly kind: 'added' | 'changed' | 'revoked' | 'removed';
  readonly id: string;
  readonly name: string;
};

export type KeyStoreOptions = {
  readonly folder: string;
  /** UNDERSTUDY_KEY_PEPPER; undefined: the pepper is a file of the folder. */
  readonly pepper: string | undefined;
  readonly clock: Pick<Clock, 'wallMs' | 'monotonicMs'>;
  readonly log: Log;
  /** Called for each change that is noticed after `open`. Must not throw. */
  readonly onChange?: (change: KeyChange) => void;
  /** Milliseconds between two looks; by default 500. */
  readonly lookMs?: number;
};

type Entry = { readonly key: KeyFile; readonly digest: Buffer; readonly stamp: string };

const NO_FOLDER =
  'expected a folder of keys, found none: no key counts. "understudy keys create" makes it';

const NO_DIGEST = Buffer.alloc(32);

export class KeyStore {
  readonly #options: KeyStoreOptions;
  readonly #disk: BoundedQueue;
  #pepper: Pepper | undefined;
  #entries: ReadonlyMap<string, Entry> = new Map();
  /** What was logged last, by what it is about: the same is not said twice. */
  #problems: ReadonlyMap<string, string> = new Map();
  #isRead = false;
  #folderStamp = '';
  #readMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: KeyStoreOptions) {
    this.#options = options;
    this.#disk = new BoundedQueue({ disk: 'the API keys', msMax: DISK_MS_MAX });
  }

  /** Reads the folder, and watches it from here on. A disk that does not answer is waited for at most five seconds. */
  async open(): Promise<void> {
    await this.#look();
    this.#schedule();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Whether a text is a key that counts at present. Takes the same time for every text in the form of a key. */
  check(text: string): KeyCheck {
    const id = keyIdOf(text);
    if (id === undefined) return { kind: 'refused', why: 'malformed' };
    const entry = this.#entries.get(id);
    const pepper = this.#pepper;
    if (pepper === undefined) return { kind: 'refused', why: 'unknown' };
    const isRight = timingSafeEqual(digestOf(text, pepper), entry?.digest ?? NO_DIGEST);
    if (!isRight || entry === undefined) return { kind: 'refused', why: 'unknown' };
    return this.#validity(entry.key);
  }

  /** Whether a key that passed before still counts. */
  recheck(id: string): KeyCheck {
    const entry = this.#entries.get(id);
    return entry === undefined ? { kind: 'refused', why: 'unknown' } : this.#validity(entry.key);
  }

  #validity(key: KeyFile): KeyCheck {
    if (key.revokedMs !== undefined) return { kind: 'refused', why: 'revoked', key };
    const isOver = key.expiresMs !== undefined && key.expiresMs <= this.#options.clock.wallMs();
    return isOver ? { kind: 'refused', why: 'expired', key } : { kind: 'key', key };
  }

  #schedule(): void {
    if (this.#isClosed) return;
    const { lookMs = LOOK_MS } = this.#options;
    this.#timer = setTimeout(() => void this.#look().then(() => this.#schedule()), lookMs);
    this.#timer.unref();
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const problems = new Map<string, string>();
    const { folder } = this.#options;
    // A disk that hangs is asked by one look at a time.
    if (this.#disk.isStuck()) return;
    try {
      await this.#disk.run(() => this.#read(problems));
    } catch (error) {
      if (isPassing(error)) problems.set(folder, `${messageOf(error)}. The keys stay as they were`);
      else this.#forget(problems, error);
    }
    if (problems.size > 0 || this.#isRead) this.#report(problems);
  }

  /** Nothing is known to count any more. */
  #forget(problems: Map<string, string>, error: unknown): void {
    this.#folderStamp = '';
    this.#replace(new Map());
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    problems.set(this.#options.folder, isMissing ? NO_FOLDER : messageOf(error));
  }

  async #read(problems: Map<string, string>): Promise<void> {
    const { folder, clock, pepper } = this.#options;
    this.#isRead = false;
    const found = await stat(folder, { bigint: true });
    const stamp = stampOf(found);
    const nowMs = clock.monotonicMs();
    const isRecent = clock.wallMs() - Number(found.mtimeMs) < SAME_STAMP_MS;
    if (stamp === this.#folderStamp && !isRecent && nowMs - this.#readMs < READ_ALL_MS) return;
    const complaint = folderComplaintOf(numbers(found), ownUser());
    if (complaint !== undefined) throw new Error(complaint);
    this.#pepper = await readPepper(folder, pepper);
    this.#replace(await this.#readAll(problems));
    if (this.#pepper === undefined && this.#entries.size > 0) {
      problems.set(
        folder,
        'expected a file "pepper" beside the keys, or UNDERSTUDY_KEY_PEPPER: without it no key counts',
      );
    }
    this.#folderStamp = stamp;
    this.#readMs = nowMs;
    this.#isRead = true;
  }

  async #readAll(problems: Map<string, string>): Promise<Map<string, Entry>> {
    const { folder } = this.#options;
    const { ids, others } = await listKeys(folder);
    if (others.length > 0) {
      const shown = JSON.stringify(others[0]?.slice(0, 80));
      problems.set(
        `${folder}/*`,
        `expected files of keys (<id>.json), found ${counted(others.length, 'other file')}, such as ${shown}`,
      );
    }
    if (ids.length > KEYS_MAX) {
      problems.set(
        `${folder}/`,
        `expected at most ${KEYS_MAX} keys, found ${ids.length}: the rest does not count`,
      );
    }
    const entries = new Map<string, Entry>();
    const counting = ids.slice(0, KEYS_MAX);
    for (let at = 0; at < counting.length; at += TOGETHER) {
      const read = counting.slice(at, at + TOGETHER).map((id) => this.#readOne(id, problems));
      for (const entry of await Promise.all(read))
        if (entry !== undefined) entries.set(entry.key.id, entry);
    }
    return entries;
  }

  async #readOne(id: string, problems: Map<string, string>): Promise<Entry | undefined> {
    const { folder } = this.#options;
    const path = keyPath(folder, id);
    try {
      const stamp = stampOf(await stat(path, { bigint: true }));
      const known = this.#entries.get(id);
      if (known?.stamp === stamp) return known;
      const key = await readKey(folder, id);
      return { key, digest: Buffer.from(key.digest, 'hex'), stamp };
    } catch (error) {
      if (isPassing(error)) throw error;
      problems.set(path, messageOf(error));
      return undefined;
    }
  }

  #replace(entries: ReadonlyMap<string, Entry>): void {
    const before = this.#entries;
    this.#entries = entries;
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      return;
    }
    const { onChange } = this.#options;
    if (onChange !== undefined) for (const change of changesOf(before, entries)) onChange(change);
  }

  /** False until the folder was read for the first time: what it held before is no change. */
  #hasBegun = false;

  #report(problems: ReadonlyMap<string, string>): void {
    const { log } = this.#options;
    for (const [path, message] of problems) {
      if (this.#problems.get(path) === message) continue;
      log({ level: 'error', message: `API keys: ${path}: ${message}` });
    }
    this.#problems = problems;
  }
}

/** What says nothing about the keys: a flood of connections must not be able to take them away. */
const PASSING: ReadonlySet<unknown> = new Set([
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'EAGAIN',
  'EBUSY',
  'EINTR',
  'EIO',
  'ESTALE',
  'ETIMEDOUT',
]);

function isPassing(error: unknown): boolean {
  if (error instanceof DiskHungError) return true;
  return error instanceof Error && 'code' in error && PASSING.has(error.code);
}

function changesOf(
  before: ReadonlyMap<string, Entry>,
  after: ReadonlyMap<string, Entry>,
): readonly KeyChange[] {
  const changes: KeyChange[] = [];
  for (const [id, { key, stamp }] of after) {
    const former = before.get(id);
    if (former?.stamp === stamp) continue;
    const isRevoked = key.revokedMs !== undefined && former?.key.revokedMs === undefined;
    const kind = isRevoked ? 'revoked' : former === undefined ? 'added' : 'changed';
    changes.push({ kind, id, name: key.name });
  }
  for (const [id, { key }] of before)
    if (!after.has(id)) changes.push({ kind: 'removed', id, name: key.name });
  return changes;
}

function stampOf({ ino, mtimeNs, ctimeNs, size }: BigIntStats): string {
  return `${ino} ${mtimeNs} ${ctimeNs} ${size}`;
}

function numbers({ mode, uid }: BigIntStats): { readonly mode: number; readonly uid: number } {
  return { mode: Number(mode), uid: Number(uid) };
}
