import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

type Fixture = {
  readonly testdir: () => string;
  readonly teardown: (work: () => unknown) => void;
};

/** A named pipe without a reader or writer. */
export function makeFifo(path: string): void {
  execFileSync('mkfifo', [path]);
}

/** A file that hangs every process which opens it, as one of a dead network mount does. */
export type HungFile = {
  /** Ends the reads that hang: they get `text`. From then on it is a plain file with that text. */
  readonly end: (text?: string) => void;
};

/** Puts a file that hangs in the place of what is there. It lets go when the test has ended. */
export function aHungFile(t: Pick<Fixture, 'teardown'>, path: string): HungFile {
  rmSync(path, { force: true });
  makeFifo(path);
  let isOver = false;
  const end = (text = ''): void => {
    if (isOver) return;
    isOver = true;
    // Opened for both, a pipe waits for no other end; what is written and the end go to the reads that hang.
    const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    rmSync(path);
    writeFileSync(path, text);
    writeSync(descriptor, text);
    closeSync(descriptor);
  };
  t.teardown(() => end());
  return { end };
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
