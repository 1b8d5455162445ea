/** The part of a stream that lines are written to. */
export type LineStream = Pick<NodeJS.WritableStream, 'write' | 'on'> & {
  readonly writableLength: number;
};

const BYTES_MAX = 1_048_576;

/** Writes lines to a pipe or a terminal. Lines that its reader is behind with are dropped beyond 1 MiB, and counted. */
export class StreamLines {
  readonly #stream: LineStream;
  readonly #onDropped: (lines: number) => void;

  constructor(stream: LineStream, onDropped: (lines: number) => void) {
    this.#stream = stream;
    this.#onDropped = onDropped;
    // A reader that is gone takes nothing, which is no reason to end.
    stream.on('error', () => onDropped(1));
  }

  readonly write = (line: string): void => {
    if (this.#stream.writableLength + line.length > BYTES_MAX) this.#onDropped(1);
    else this.#stream.write(line);
  };

  readonly reopen = (): void => undefined;

  async close(): Promise<void> {}
}
