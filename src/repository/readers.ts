/**
 * Reads the repository for commands and looks while models are served. What hangs on a dead disk hangs in a process that can be
 * ended: in this process it would hold one of the few threads that all files and compressed bodies share.
 */

import type { Folders } from './folders.ts';
import { Reader } from './reader.ts';
import type { ReadOrder } from './reader-message.ts';
import type { Scan } from './scan.ts';

export type RepositoryReader = {
  /** Reads one model, in parallel with others. Rejects with an Error after a time without progress, or once it is closed. */
  readonly read: (order: ReadOrder) => Promise<Scan>;
  /** The folders in a directory. Rejects as `read` does, or where the directory cannot be read. */
  readonly list: (directory: string) => Promise<Folders>;
};

export type ReadersOptions = {
  readonly openReader?: () => Pick<Reader, 'read' | 'list' | 'close'>;
  /** How long a process is kept for the next order; milliseconds, by default 15 s. */
  readonly idleMs?: number;
};

/** Processes at one time; what is asked for beyond that waits. Only files that hang need more than a few. */
const READERS_MAX = 8;

/** Longer than the usual time between two looks of a poll. */
const IDLE_MS = 15_000;

type Open = Pick<Reader, 'read' | 'list' | 'close'>;

export class Readers implements RepositoryReader {
  readonly #openReader: () => Open;
  readonly #idleMs: number;
  readonly #busy = new Set<Open>();
  #idle: Open | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  readonly #waiting: (() => void)[] = [];
  #isClosed = false;

  constructor({ openReader = () => new Reader(), idleMs = IDLE_MS }: ReadersOptions = {}) {
    this.#openReader = openReader;
    this.#idleMs = idleMs;
  }

  readonly read = (order: ReadOrder): Promise<Scan> =>
    this.#with((reader) => reader.read(order, () => undefined));

  readonly list = (directory: string): Promise<Folders> =>
    this.#with((reader) => reader.list(directory));

  /** Kills all of them, with reads that hang. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#idleTimer);
    for (const reader of [...this.#busy, ...(this.#idle ? [this.#idle] : [])]) reader.close();
    for (const goOn of this.#waiting.splice(0)) goOn();
  }

  async #with<Result>(work: (reader: Open) => Promise<Result>): Promise<Result> {
    while (!this.#isClosed && this.#busy.size >= READERS_MAX)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#isClosed) throw new Error('the gateway stops: nothing more is read');
    const reader = this.#take();
    this.#busy.add(reader);
    try {
      const result = await work(reader);
      this.#keep(reader);
      return result;
    } catch (error) {
      // It may hang, or be gone.
      reader.close();
      throw error;
    } finally {
      this.#busy.delete(reader);
      this.#waiting.shift()?.();
    }
  }

  #take(): Open {
    clearTimeout(this.#idleTimer);
    const reader = this.#idle ?? this.#openReader();
    this.#idle = undefined;
    return reader;
  }

  /** One of them, for a while. */
  #keep(reader: Open): void {
    if (this.#isClosed || this.#idle !== undefined) {
      reader.close();
      return;
    }
    this.#idle = reader;
    this.#idleTimer = setTimeout(() => {
      this.#idle = undefined;
      reader.close();
    }, this.#idleMs);
    this.#idleTimer.unref();
  }
}
