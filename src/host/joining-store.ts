import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { sha256Hex } from '../core/hash.ts';
import type { Joining } from '../core/joining.ts';
import { BoundedQueue, DiskHungError } from '../disk/bounded-queue.ts';
import { makeDirectory } from '../disk/make-directory.ts';
import type { KeptExample } from './joinings.ts';

/** What a probe's finding holds for. Any change of it asks for another probe. */
export type JoiningKey = {
  readonly digest: string;
  readonly rule: number;
  readonly runtime: string;
  readonly processor: string;
  readonly providers: readonly string[];
  readonly strict: boolean;
  readonly intraOpThreads: number;
  readonly rowsMax: number;
  readonly declared: boolean;
};

/** Findings that the folder keeps; beyond that the oldest goes. */
const FILES_MAX = 1_000;
const SUFFIX = '.json';

/** How long the folder is waited for, by a version that loads or by the end of the process: probing again costs little more. */
const DISK_MS_MAX = 2_000;

/**
 * What probes found, in memory and in a folder, so that a restart or a second copy of a version need not probe again. A folder
 * that cannot be used, or whose disk does not answer, costs only that.
 */
export class JoiningStore {
  readonly #directory: string;
  readonly #onError: (error: unknown) => void;
  readonly #known = new Map<string, Joining>();
  readonly #queue: BoundedQueue;
  #writing: Promise<void> = Promise.resolve();
  #hasFailed = false;

  /** `diskMsMax` limits the wait for the folder's disk, by default 2 s. */
  constructor(directory: string, onError: (error: unknown) => void, diskMsMax = DISK_MS_MAX) {
    this.#directory = directory;
    this.#onError = onError;
    this.#queue = new BoundedQueue({ disk: 'the cache', msMax: diskMsMax });
  }

  async get(key: JoiningKey): Promise<Joining | undefined> {
    const name = nameOf(key);
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const text = await this.#read(name);
    const found = text === undefined ? undefined : joiningIn(text);
    if (found !== undefined) this.#known.set(name, found);
    return found;
  }

  /** Keeps what was found; what the next start should look at again is not kept. */
  put(key: JoiningKey, joining: Joining, example?: KeptExample): void {
    const name = nameOf(key);
    const known = this.#known.get(name);
    if (
      joining.kind === 'probing' ||
      (joining.kind === 'off' && joining.isPassing) ||
      isDeepStrictEqual(known, joining)
    )
      return;
    this.#known.set(name, joining);
    const text = `${JSON.stringify({ key, joining, example }, undefined, 2)}\n`;
    this.#writing = this.#write(name, text);
  }

  /** Resolves when all that was put is written, or could not be within the time for it. */
  async close(): Promise<void> {
    await this.#writing;
  }

  /** Undefined: it is not there, or cannot be read in time. */
  async #read(name: string): Promise<string | undefined> {
    if (this.#queue.isStuck()) return undefined;
    try {
      return await this.#queue.run(() => readFile(join(this.#directory, name), 'utf8'));
    } catch (error) {
      if (error instanceof DiskHungError) this.#report(error);
      return undefined;
    }
  }

  async #write(name: string, text: string): Promise<void> {
    if (this.#queue.isStuck()) return;
    const file = join(this.#directory, name);
    try {
      await this.#queue.run(async () => {
        await makeDirectory(this.#directory);
        await writeFile(`${file}.new`, text);
        await rename(`${file}.new`, file);
        await this.#prune();
      });
    } catch (error) {
      this.#report(error);
    }
  }

  /** Said once: the next would say the same. */
  #report(error: unknown): void {
    if (!this.#hasFailed) this.#onError(error);
    this.#hasFailed = true;
  }

  async #prune(): Promise<void> {
    const names = (await readdir(this.#directory)).filter((name) => name.endsWith(SUFFIX));
    if (names.length <= FILES_MAX) return;
    const files = await Promise.all(
      names.map(async (name) => {
        const file = join(this.#directory, name);
        return { file, changedMs: (await stat(file)).mtimeMs };
      }),
    );
    files.sort((a, b) => a.changedMs - b.changedMs);
    await Promise.all(files.slice(0, -FILES_MAX).map(({ file }) => rm(file, { force: true })));
  }
}

function nameOf(key: JoiningKey): string {
  return `${sha256Hex(JSON.stringify(key))}${SUFFIX}`;
}

/** Undefined for anything that is not a finding: it is found again then. */
function joiningIn(text: string): Joining | undefined {
  try {
    const { joining } = JSON.parse(text) as { joining?: Record<string, unknown> };
    switch (joining?.['kind']) {
      case 'probed':
        return { kind: 'probed' };
      case 'off':
        return { kind: 'off', because: String(joining['because']) };
      case 'declared': {
        const doubt = joining['doubt'];
        return { kind: 'declared', doubt: doubt === undefined ? undefined : String(doubt) };
      }
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}
