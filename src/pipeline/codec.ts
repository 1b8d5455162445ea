/**
 * Turns encoded images into tensors on threads of its own. At most `threads` images are decoded at a time; the others wait in
 * order, at most `queueMax` of them, and leave the queue as soon as they are cancelled. One that is being decoded
 * is never cut off, since that would end the thread with native code in it: its answer is dropped, and the decoder itself gives
 * up after `secondsMax`.
 */
import { Piscina } from 'piscina';
import { offAbort, onAbort } from '../concurrency/cancel-token.ts';
import { type Deferred, deferred } from '../concurrency/deferred.ts';
import { type Clock, TIMER_MS_MAX } from '../core/clock.ts';
import { messageOf, ServeError } from '../core/errors.ts';
import type { ImageSpec } from './image-spec.ts';
import type { ReadLimits } from './read-image.ts';
import type { ImageJob, Refusal } from './worker.ts';

export type CodecOptions = ReadLimits & {
  /** Images decoded at a time. All threads of a process share libuv's four, which write the ledger too. */
  readonly threads: number;
  /** Max images that wait; beyond: `overloaded`. Piscina's maxQueue. */
  readonly queueMax: number;
  /** Max bytes of images that wait; beyond: `overloaded`. */
  readonly queueBytesMax: number;
  readonly clock: Clock;
};

export type Waiting = {
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
  /** The deadline, on the clock. */
  readonly deadlineMs: number;
};

export type ImageCodec = {
  /**
   * The data of the specification's tensor. Rejects with a ServeError: `invalid_input` for what is no image or a broken one,
   * `too_large`, `overloaded`, `deadline_exceeded`, `cancelled`.
   */
  readonly decode: (bytes: Uint8Array, spec: ImageSpec, waiting: Waiting) => Promise<Uint8Array>;
  /** Waits for images that are being decoded, refuses the others, and ends the threads. */
  readonly close: () => Promise<void>;
};

export async function openImageCodec(options: CodecOptions): Promise<ImageCodec> {
  // The library's shared parts must be loaded before the first thread and stay until the last ends, so this thread loads them too.
  await import('sharp');
  return new ThreadCodec(options);
}

type Entry = { readonly job: ImageJob; readonly done: Deferred<Uint8Array> };

class ThreadCodec implements ImageCodec {
  readonly #options: CodecOptions;
  readonly #pool: Piscina;
  /** In order of arrival. */
  readonly #waiting = new Set<Entry>();
  #waitingBytes = 0;
  #running = 0;
  #isClosed = false;

  constructor(options: CodecOptions) {
    const { threads, pixelsMax, secondsMax } = options;
    this.#options = options;
    this.#pool = new Piscina({
      filename: new URL('./worker.js', import.meta.url).href,
      name: 'decode',
      minThreads: threads,
      maxThreads: threads,
      atomics: 'disabled',
      recordTiming: false,
      // After this the pool would terminate a busy thread.
      closeTimeout: TIMER_MS_MAX,
      workerData: { pixelsMax, secondsMax } satisfies ReadLimits,
      env: {},
      execArgv: [],
    });
    // A thread that exits fails its image, and is replaced; the caller gets that error.
    this.#pool.on('error', () => undefined);
  }

  async decode(bytes: Uint8Array, spec: ImageSpec, waiting: Waiting): Promise<Uint8Array> {
    if (this.#isClosed) throw new ServeError('overloaded', 'image: the server is stopping');
    if (waiting.signal.aborted) throw gone();
    this.#checkRoom(bytes.byteLength);
    const entry: Entry = { job: { bytes, spec }, done: deferred() };
    this.#waiting.add(entry);
    this.#waitingBytes += bytes.byteLength;
    this.#startNext();
    return await this.#inTime(entry, waiting);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const entry of this.#waiting) this.#giveUp(entry, gone());
    await this.#pool.close();
  }

  #checkRoom(bytes: number): void {
    const { queueMax, queueBytesMax } = this.#options;
    if (this.#waiting.size >= queueMax) {
      throw new ServeError('overloaded', `image: expected at most ${queueMax} in the queue`);
    }
    if (this.#waitingBytes + bytes > queueBytesMax) {
      throw new ServeError(
        'overloaded',
        `image: expected at most ${queueBytesMax} bytes in the queue`,
      );
    }
  }

  /** A cancelled request leaves its place in the queue. */
  async #inTime(entry: Entry, { signal, deadlineMs }: Waiting): Promise<Uint8Array> {
    const leftMs = deadlineMs - this.#options.clock.monotonicMs();
    const late = setTimeout(
      () => this.#giveUp(entry, new ServeError('deadline_exceeded', 'image: not decoded in time')),
      Math.min(Math.max(0, leftMs), TIMER_MS_MAX),
    );
    const onGone = (): void => this.#giveUp(entry, gone());
    onAbort(signal, onGone);
    try {
      return await entry.done.promise;
    } finally {
      clearTimeout(late);
      offAbort(signal, onGone);
    }
  }

  #giveUp(entry: Entry, reason: ServeError): void {
    this.#leave(entry);
    entry.done.reject(reason);
  }

  #leave(entry: Entry): void {
    if (this.#waiting.delete(entry)) this.#waitingBytes -= entry.job.bytes.byteLength;
  }

  #startNext(): void {
    const [entry] = this.#waiting;
    if (entry === undefined || this.#running >= this.#options.threads) return;
    this.#leave(entry);
    this.#running += 1;
    this.#run(entry.job)
      .then(entry.done.resolve, entry.done.reject)
      .finally(() => {
        this.#running -= 1;
        this.#startNext();
      });
  }

  async #run({ bytes, spec }: ImageJob): Promise<Uint8Array> {
    // A copy that is not shared, so that it can change hands: a view would take the whole memory behind it along.
    const own = new Uint8Array(bytes);
    const job: ImageJob = { bytes: own, spec };
    const transferList = [own.buffer];
    const result = await (this.#pool.run(job, { transferList }) as Promise<Uint8Array | Refusal>)
      // Only the death of the thread rejects.
      .catch((thrown: unknown) => {
        throw new ServeError('host_lost', `image: decoder exited: ${messageOf(thrown)}`);
      });
    if (result instanceof Uint8Array) return result;
    throw new ServeError(result.code, result.message);
  }
}

function gone(): ServeError {
  return new ServeError('cancelled', 'image: its request was cancelled');
}
