import { dirname, join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { LedgerRecord, RecordBody } from '../core/record.ts';
import { type BoundedQueue, DiskHungError, type Turn } from '../disk/bounded-queue.ts';
import { makeDirectory } from '../disk/make-directory.ts';
import { type ChainEnd, chainAfter, sealRecord } from './chain.ts';
import { degradedCauseOf } from './degraded-cause.ts';
import {
  type AppendOptions,
  HEALTHY,
  HeadMovedError,
  type Ledger,
  LedgerDegradedError,
  LedgerGoneError,
  type LedgerHealth,
  type LedgerSize,
  type ReadFrom,
} from './ledger.ts';
import { acquireLock, type Lock } from './lock.ts';
import {
  type FoundEnd,
  type LedgerEnd,
  type Repair,
  readEnd,
  type Tail,
  tailAfter,
} from './repair.ts';
import { Reserve } from './reserve.ts';
import { type OpenFile, Segment, syncDirectory } from './segment.ts';
import { readSegments, segmentBytes, segmentName } from './segments.ts';

/** A cause that comes back within this time after a recovery makes the next one wait twice as long, up to `RETRY_MS_MAX`. */
const RELAPSE_MS = 60_000;
const RETRY_MS_MAX = 30_000;

/** A checkpoint is followed by so many times its own bytes of other records at least. */
const CHECKPOINT_RATIO = 4;

/** Between two looks at the sizes of all files. */
const MEASURE_MS = 60_000;

/** The lock, as soon as there is one: a disk that hangs may give it late. */
export type Held = { lock: Lock | undefined };

export type FileLedgerState = {
  readonly directory: string;
  /** Of all work at this disk; the lock was taken through it. */
  readonly queue: BoundedQueue;
  readonly held: Held;
  readonly clock: Clock;
  readonly openFile: OpenFile;
  readonly segmentBytesMax: number;
  readonly segmentMsMax: number;
  readonly watchMs: number;
  readonly onRepair: (repair: Repair) => void;
  readonly onHealth: (health: LedgerHealth) => void;
  readonly end: LedgerEnd;
};

/**
 * A ledger in files, which never keeps a caller waiting for the disk. Modes:
 *
 * - `healthy`: appends one record at a time; looks every `watchMs` whether its files are still there.
 * - `degraded`, after a write or a look that failed or did not end in time: refuses records immediately, but tries urgent ones, and
 *   tries every `watchMs` to recover. To recover means that the lock is held, the file is where it was (a deleted one is written
 *   again from the open one), the chain ends where it did, nothing torn is left, and the disk takes a real write.
 *
 * All work at the disk goes through one queue, so that a disk which does not answer is asked nothing more.
 */
export class FileLedger implements Ledger {
  readonly #state: FileLedgerState;
  readonly #queue: BoundedQueue;
  readonly #reserve: Reserve;
  #segment: Segment | undefined;
  #end: ChainEnd;
  #tail: Tail;
  /** Of the files in the folder, when it was looked at last and since. */
  #bytes = 0;
  #sizedMs = Number.NEGATIVE_INFINITY;
  #health: LedgerHealth = HEALTHY;
  #timer: NodeJS.Timeout | undefined;
  #retryMs: number;
  #recovered = { fromCause: '', atMs: 0 };
  /** Records were found that others wrote: nothing is decided any more on what was read before. */
  #hasMoved = false;
  #closed = false;

  constructor(state: FileLedgerState) {
    this.#state = state;
    this.#queue = state.queue;
    this.#reserve = new Reserve(state.directory);
    this.#end = state.end;
    this.#tail = state.end.tail;
    this.#retryMs = state.watchMs;
  }

  /** Begins with the files as they were found; degraded where the lock could not be taken, for this reason. */
  async begin(found: FoundEnd, fault: unknown): Promise<void> {
    if (fault !== undefined) this.#degrade(fault);
    else {
      const opened = this.#queue.run(async () => {
        await this.#takeUp(found);
        await this.#measure();
        await this.#reserve.hold();
      });
      await opened.catch((error: unknown) => this.#degrade(error));
    }
    this.#watch();
  }

  append(
    body: RecordBody,
    expectedHead: string,
    { isUrgent = false }: AppendOptions = {},
  ): Promise<LedgerRecord> {
    if (this.#closed) return Promise.reject(new Error('the ledger is closed'));
    if (this.#health.kind === 'degraded' && (!isUrgent || this.#queue.isStuck()))
      return Promise.reject(new LedgerDegradedError(this.#health.why));
    return this.#queue
      .run((turn) => this.#append(body, expectedHead, { turn, isUrgent }))
      .catch((error: unknown) => {
        const isOfDisk = !(error instanceof HeadMovedError || error instanceof LedgerDegradedError);
        if (isOfDisk) this.#degrade(error);
        throw error;
      });
  }

  head(): string {
    return this.#end.head;
  }

  lastMs(): number {
    return this.#end.atMs;
  }

  health(): LedgerHealth {
    return this.#health;
  }

  async *read(from?: ReadFrom): AsyncIterable<LedgerRecord> {
    for await (const line of readSegments(this.#state.directory, () => undefined, from))
      yield line.record;
  }

  isCheckpointDue(): boolean {
    const { segmentBytesMax, segmentMsMax, clock } = this.#state;
    const { bytes, checkpointBytes, sinceMs } = this.#tail;
    if (bytes === 0) return false;
    if (clock.wallMs() - sinceMs >= segmentMsMax) return true;
    return bytes >= Math.max(segmentBytesMax, CHECKPOINT_RATIO * checkpointBytes);
  }

  size(): LedgerSize {
    return { records: this.#end.count, bytes: this.#bytes };
  }

  /** Waits for what is at the disk, but not for a disk that does not answer. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    const isStuck = this.#queue.isStuck();
    const released = this.#queue.run(async () => {
      await this.#segment?.close();
      if ((await this.#state.held.lock?.isHeld()) === true) await this.#reserve.release();
      await this.#state.held.lock?.release();
    });
    const ended = released.catch((error: unknown) => {
      // What cannot be written to cannot be left in order either.
      if (this.#health.kind === 'healthy' && !(error instanceof DiskHungError)) throw error;
    });
    if (!isStuck) await ended;
  }

  // -- writing ---------------------------------------------------------------------------------------------------------

  async #append(
    body: RecordBody,
    expectedHead: string,
    { turn, isUrgent }: { readonly turn: Turn; readonly isUrgent: boolean },
  ): Promise<LedgerRecord> {
    if (expectedHead !== this.#end.head || this.#hasMoved)
      throw new HeadMovedError(expectedHead, this.#hasMoved ? undefined : this.#end.head);
    if (this.#state.held.lock === undefined)
      throw new LedgerDegradedError('it is not held by this process');
    const segment = await this.#segmentToWrite(body.kind === 'checkpoint');
    if (segment.isDirty()) await segment.cut();
    if ((await segment.check()) === 'grown') throw new HeadMovedError(expectedHead, undefined);
    const { record, line } = sealRecord(body, this.#end, this.#state.clock.wallMs());
    const bytes = Buffer.from(`${line}\n`);
    await this.#write(segment, bytes, isUrgent);
    // The caller's append has failed, so the record must not stay: it is cut before the next write.
    if (turn.isOver) throw new Error('written too late');
    segment.accept(bytes.length);
    this.#end = chainAfter(record);
    this.#tail = tailAfter(this.#tail, record, bytes.length);
    this.#bytes += bytes.length;
    return record;
  }

  async #write(segment: Segment, bytes: Buffer, isUrgent: boolean): Promise<void> {
    try {
      await segment.write(bytes);
    } catch (error) {
      await segment.cut().catch(() => undefined);
      if (!isUrgent || degradedCauseOf(error) !== 'full') throw error;
      // What was kept back for this. The ledger is degraded until the reserve is whole again.
      this.#degrade(error);
      await this.#reserve.release();
      await segment.write(bytes);
    }
  }

  /** The file to write to: the present one, or the next if that is full or the record begins a file. */
  async #segmentToWrite(isFirst: boolean): Promise<Segment> {
    const { directory, openFile, segmentBytesMax } = this.#state;
    const present = this.#segment;
    const isOpen = present !== undefined && present.bytes < segmentBytesMax && !isFirst;
    if (present !== undefined && (isOpen || present.bytes === 0)) return present;
    const path = join(directory, segmentName(this.#end.count));
    const next = await Segment.open(path, 0, openFile);
    await syncDirectory(directory);
    this.#segment = next;
    await present?.close();
    return next;
  }

  // -- health ----------------------------------------------------------------------------------------------------------

  #degrade(error: unknown): void {
    const cause = degradedCauseOf(error);
    const why = messageOf(error);
    if (this.#health.kind === 'degraded') {
      // Reported already, and one fault may show in several ways by turns; a caller gets the latest.
      this.#health = { ...this.#health, cause, why };
      return;
    }
    const { fromCause, atMs } = this.#recovered;
    const isRecent = this.#state.clock.monotonicMs() - atMs < RELAPSE_MS;
    const isRelapse = isRecent && fromCause === cause;
    this.#retryMs = isRelapse ? Math.min(2 * this.#retryMs, RETRY_MS_MAX) : this.#state.watchMs;
    this.#setHealth({ kind: 'degraded', cause, why, sinceMs: this.#state.clock.wallMs() });
    this.#watch();
  }

  #setHealth(health: LedgerHealth): void {
    this.#health = health;
    this.#state.onHealth(health);
  }

  #watch(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const isHealthy = this.#health.kind === 'healthy';
    const timer = setTimeout(
      () => void this.#look().finally(() => this.#watch()),
      isHealthy ? this.#state.watchMs : this.#retryMs,
    );
    this.#timer = timer.unref();
  }

  async #look(): Promise<void> {
    if (this.#queue.isStuck()) return;
    try {
      if (this.#health.kind === 'healthy') await this.#queue.run(() => this.#checkInPlace());
      else await this.#queue.run((turn) => this.#recover(turn));
    } catch (error) {
      if (!this.#closed) this.#degrade(error);
    }
  }

  async #checkInPlace(): Promise<void> {
    if ((await this.#state.held.lock?.isHeld()) === false)
      throw new LedgerGoneError(`the lock of ${this.#state.directory} was deleted or replaced`);
    const segment = this.#segment;
    // Bytes of another writer are for the next append to find, which knows what to do about it.
    if (segment !== undefined && !segment.isDirty()) await segment.check();
    if (this.#state.clock.monotonicMs() - this.#sizedMs >= MEASURE_MS) await this.#measure();
  }

  /** Files may have been archived meanwhile. */
  async #measure(): Promise<void> {
    this.#sizedMs = this.#state.clock.monotonicMs();
    this.#bytes = await segmentBytes(this.#state.directory);
  }

  async #recover(turn: Turn): Promise<void> {
    const { directory } = this.#state;
    const segment = this.#segment;
    const place = await segment?.place();
    // A folder that is merely not there, as where a disk is not mounted, is not recreated, or a second ledger would begin in it.
    if (place === undefined || place === 'deleted') await makeDirectory(directory);
    if ((await this.#state.held.lock?.isHeld()) !== true)
      this.#state.held.lock = await acquireLock(directory);
    if (place === 'deleted') await segment?.restore();
    if (place === 'here' && segment?.isDirty() === true) await segment.cut();
    const isSound = place === 'here' && (await segment?.check().catch(() => 'gone')) === 'sound';
    if (!isSound) await this.#takeUp(await readEnd(directory));
    else await segment?.cut();
    await this.#reserve.hold();
    if (turn.isOver || this.#closed || this.#health.kind === 'healthy') return;
    if (place === 'deleted' && segment !== undefined) {
      const message = `${segment.path} was deleted, and is written again from the open file`;
      this.#state.onRepair({ file: segment.path, cutBytes: 0, message });
    }
    this.#recovered = { fromCause: this.#health.cause, atMs: this.#state.clock.monotonicMs() };
    this.#setHealth(HEALTHY);
  }

  /** Takes up the files as they were found, if they hold what this ledger holds. */
  async #takeUp({ end, repair }: FoundEnd): Promise<void> {
    const { directory, openFile, onRepair } = this.#state;
    if (
      end.count < this.#end.count ||
      (end.count === this.#end.count && end.head !== this.#end.head)
    ) {
      throw new LedgerGoneError(
        `${directory} was deleted or replaced: expected ${this.#end.count} records that end in ${this.#end.head.slice(0, 12)}, found ${end.count} that end in ${end.head.slice(0, 12)}. Put the files back from a copy`,
      );
    }
    this.#hasMoved = end.count > this.#end.count;
    this.#tail = end.tail;
    const repaired = await repair();
    if (repaired !== undefined) onRepair(repaired);
    const before = this.#segment;
    this.#segment =
      end.file === undefined ? undefined : await Segment.open(end.file, end.bytes, openFile);
    await before?.close();
  }
}

/** Makes the folder of a ledger, and its name survive a power cut. */
export async function makeLedgerDirectory(directory: string): Promise<void> {
  await makeDirectory(directory);
  await syncDirectory(dirname(directory));
}
