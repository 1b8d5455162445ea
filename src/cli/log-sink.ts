import { fstatSync, writeSync } from 'node:fs';
import { deferred } from '../concurrency/deferred.ts';
import { outliveOutput } from './standard-output.ts';

/** Lines that wait for a reader that is behind; beyond it lines are dropped. Some five thousand lines. */
export const BACKLOG_BYTES_MAX = 1024 * 1024;

/** Where the log goes. Never throws, never blocks on a reader, and holds a bounded amount of memory. */
export type LogSink = {
  readonly write: (line: string) => void;
  /** Resolves with true once nothing waits to be read, and with false after `ms` milliseconds. */
  readonly flushed: (ms: number) => Promise<boolean>;
};

/** How many lines were dropped, as a line of the log. */
export type DropNotice = (lines: number) => string;

/**
 * Standard error. Node writes to a pipe or socket without blocking and keeps what does not fit, without a bound; to a file or
 * terminal it writes synchronously.
 */
export function standardErrorSink(notice: DropNotice): LogSink {
  outliveOutput();
  const { fd } = process.stderr;
  const kind = fstatSync(fd);
  if (kind.isFIFO() || kind.isSocket()) return new StreamSink(process.stderr, notice);
  return new FileSink(fd, notice);
}

type Stream = Pick<NodeJS.WriteStream, 'write' | 'writableLength'>;

/** A pipe or a socket, whose reader may be slow, stand still or go away. */
export class StreamSink implements LogSink {
  readonly #stream: Stream;
  readonly #notice: DropNotice;
  #dropped = 0;
  #waiting: (() => void)[] = [];

  constructor(stream: Stream, notice: DropNotice) {
    this.#stream = stream;
    this.#notice = notice;
  }

  readonly write = (line: string): void => {
    const isFull = this.#stream.writableLength + Buffer.byteLength(line) > BACKLOG_BYTES_MAX;
    // While some are missing nothing is added, so that the notice stands where they would have stood.
    if (isFull || this.#dropped > 0) this.#dropped += 1;
    else this.#stream.write(line, this.#onWritten);
  };

  async flushed(ms: number): Promise<boolean> {
    if (this.#stream.writableLength === 0) return true;
    const done = deferred<boolean>();
    const timer = setTimeout(() => done.resolve(false), ms);
    this.#waiting.push(() => done.resolve(true));
    const isDone = await done.promise;
    clearTimeout(timer);
    return isDone;
  }

  readonly #onWritten = (): void => {
    const { writableLength } = this.#stream;
    if (this.#dropped > 0 && writableLength <= BACKLOG_BYTES_MAX / 2) {
      const dropped = this.#dropped;
      this.#dropped = 0;
      this.#stream.write(this.#notice(dropped), this.#onWritten);
      return;
    }
    if (writableLength > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  };
}

/** A file, whose disk may be full for a while, or a terminal, which may be gone. */
export class FileSink implements LogSink {
  readonly #fd: number;
  readonly #notice: DropNotice;
  #dropped = 0;
  #isTorn = false;

  constructor(fd: number, notice: DropNotice) {
    this.#fd = fd;
    this.#notice = notice;
  }

  readonly write = (line: string): void => {
    const notice = this.#dropped > 0 ? this.#notice(this.#dropped) : '';
    if (this.#put(`${this.#isTorn ? '\n' : ''}${notice}${line}`)) this.#dropped = 0;
    else this.#dropped += 1;
  };

  async flushed(): Promise<boolean> {
    return true;
  }

  /** Whether all of it was written. */
  #put(text: string): boolean {
    const bytes = Buffer.from(text);
    let at = 0;
    try {
      while (at < bytes.length) at += writeSync(this.#fd, bytes, at);
      this.#isTorn = false;
      return true;
    } catch {
      this.#isTorn ||= at > 0;
      return false;
    }
  }
}
