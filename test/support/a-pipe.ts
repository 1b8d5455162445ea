import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';

type Fixture = {
  readonly testdir: () => string;
  readonly teardown: (work: () => unknown) => void;
};

/** A named pipe that nobody has opened. */
export function makeFifo(path: string): void {
  execFileSync('mkfifo', [path]);
}

/** A pipe of the system (not a socket pair, as children get), with both ends in this process; it blocks at neither. */
export class APipe {
  readonly writer: number;
  readonly #reader: number;
  #isClosed = false;

  constructor(t: Fixture) {
    const path = join(t.testdir(), 'pipe');
    makeFifo(path);
    this.#reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    t.teardown(() => this.closeReader());
  }

  /** What is in it now, 64 KiB at most. */
  read(): string {
    const bytes = Buffer.alloc(65_536);
    return bytes.toString(
      'utf8',
      0,
      unlessAgain(() => readSync(this.#reader, bytes)),
    );
  }

  /** Until it takes nothing more. */
  fill(): void {
    for (const size of [4_096, 1]) {
      const bytes = Buffer.alloc(size);
      while (unlessAgain(() => writeSync(this.writer, bytes)) > 0);
    }
  }

  closeReader(): void {
    if (!this.#isClosed) closeSync(this.#reader);
    this.#isClosed = true;
  }
}

function unlessAgain(step: () => number): number {
  try {
    return step();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return 0;
    throw error;
  }
}
