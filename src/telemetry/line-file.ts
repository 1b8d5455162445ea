import { type FileHandle, open } from 'node:fs/promises';

export type LineFileOptions = {
  readonly path: string;
  /** So many lines were lost. */
  readonly onDropped: (lines: number) => void;
  /** The file began to take no lines, with why, or takes them again: undefined. */
  readonly onState: (problem: unknown) => void;
  /** Bytes that may wait for the disk; by default 4 MiB. */
  readonly bytesMax?: number;
};

const BYTES_MAX = 4_194_304;

/** Lines of this long are written together. */
const DELAY_MS = 100;

/**
 * Appends lines to a file. Never blocks: lines wait in memory for a disk that is slow, up to a limit, and beyond it are dropped and
 * counted, as are those that a full disk does not take. At most one write is under way, so a disk that never answers holds one of the
 * threads for files. `reopen` makes the file again where it was renamed.
 */
export class LineFile {
  readonly #options: LineFileOptions;
  #waiting: string[] = [];
  #bytes = 0;
  #file: FileHandle | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #isStale = false;
  /** The last write left a part of a line behind. */
  #isTorn = false;
  #isFailing = false;

  constructor(options: LineFileOptions) {
    this.#options = options;
  }

  readonly write = (line: string): void => {
    const { bytesMax = BYTES_MAX, onDropped } = this.#options;
    // Of characters outside of ASCII three bytes at most; lines are cut long before that matters.
    if (this.#bytes + line.length > bytesMax) {
      onDropped(1);
      return;
    }
    this.#waiting.push(line);
    this.#bytes += line.length;
    this.#timer ??= setTimeout(() => this.#flush(), DELAY_MS).unref();
  };

  /** Later lines go to the file of this name, whichever that is then. */
  readonly reopen = (): void => {
    this.#isStale = true;
    this.#timer ??= setTimeout(() => this.#flush(), 0).unref();
  };

  /** Resolves when what waits is written, or lost. A disk that hangs hangs this too. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#writing;
    await this.#writeAll();
    await this.#file?.close().catch(() => undefined);
    this.#file = undefined;
  }

  #flush(): void {
    this.#timer = undefined;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#waiting.length > 0 || (this.#isStale && this.#file !== undefined))
        this.#timer ??= setTimeout(() => this.#flush(), DELAY_MS).unref();
    });
  }

  async #writeAll(): Promise<void> {
    const lines = this.#waiting;
    this.#waiting = [];
    const taken = this.#bytes;
    try {
      const { file, problem } = await this.#opened();
      if (lines.length > 0) await this.#append(file, lines.join(''));
      this.#report(problem);
    } catch (error) {
      if (lines.length > 0) this.#options.onDropped(lines.length);
      this.#report(error);
    }
    this.#bytes -= taken;
  }

  /** The old file stays in use where there cannot be a new one, for which it looks each time. */
  async #opened(): Promise<{ readonly file: FileHandle; readonly problem: unknown }> {
    const old = this.#file;
    if (old !== undefined && !this.#isStale) return { file: old, problem: undefined };
    // It may be asked for again while it is being opened.
    this.#isStale = false;
    try {
      const file = await open(this.#options.path, 'a', 0o640);
      this.#file = file;
      this.#isTorn = false;
      await old?.close().catch(() => undefined);
      return { file, problem: undefined };
    } catch (problem) {
      this.#isStale = true;
      if (old === undefined) throw problem;
      return { file: old, problem };
    }
  }

  async #append(file: FileHandle, text: string): Promise<void> {
    const bytes = Buffer.from(this.#isTorn ? `\n${text}` : text);
    let at = 0;
    try {
      while (at < bytes.length) at += (await file.write(bytes, at)).bytesWritten;
      this.#isTorn = false;
    } catch (error) {
      this.#isTorn ||= at > 0;
      throw error;
    }
  }

  #report(problem: unknown): void {
    const isFailing = problem !== undefined;
    if (isFailing === this.#isFailing) return;
    this.#isFailing = isFailing;
    this.#options.onState(problem);
  }
}
