import { Worker } from 'node:worker_threads';
import { type Clock, TIMER_MS_MAX } from '../../core/clock.ts';
import { ALARM_MEMORY_BYTES, alarmMemory, NO_MORE } from './alarm-memory.ts';

/** Wakes at moments of the monotonic clock. One wait at a time. */
export interface Alarm {
  /** Resolves at the moment, or a little after it; earlier only where `ring` is called, or by a timer's rounding or its limit. */
  until(monotonicMs: number): Promise<void>;
  /** Ends the present wait, if there is one. */
  ring(): void;
  close(): void;
}

/**
 * Flags of Node for a process that an alarm wakes: turning the event loop leaves tens of megabytes of garbage a second, and what is
 * due while it is collected is late. These are the sizes in MB of the space for new objects, twice the greatest that the engine
 * takes by itself: collections are a ninth as many, and take a third of the time that they took together.
 */
export const QUIET_HEAP = ['--min-semi-space-size=32', '--max-semi-space-size=32'] as const;

/**
 * How long before the moment the thread wakes the event loop: a fifth of the wait, within these. Waking and a message take
 * a tenth of a millisecond, more on a core that has gone to sleep; for the rest of it the event loop turns.
 */
const EARLY_RATIO = 0.2;
const EARLY_MS_MIN = 0.1;
const EARLY_MS_MAX = 0.4;

/** A precise alarm, or one by timers where no thread can be started. */
export async function openAlarm(clock: Clock): Promise<Alarm> {
  try {
    return await ThreadAlarm.open(clock);
  } catch {
    return new TimerAlarm(clock);
  }
}

/** By the timers of the event loop: a millisecond late, give or take one. */
export class TimerAlarm implements Alarm {
  readonly #clock: Clock;
  #timer: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  until(monotonicMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      const waitMs = monotonicMs - this.#clock.monotonicMs();
      this.#timer = setTimeout(resolve, Math.min(TIMER_MS_MAX, waitMs));
    });
  }

  ring(): void {
    clearTimeout(this.#timer);
    this.#wake?.();
  }

  close(): void {
    this.ring();
  }
}

/**
 * By a thread that sleeps for it, because a thread's sleep is good to some tens of microseconds and a timer of the event loop
 * to a millisecond. The thread wakes the loop shortly before the moment, and the loop turns, reading answers, until it has
 * come: that costs some hundredths of a core, a fifth of one at most.
 */
class ThreadAlarm implements Alarm {
  readonly #clock: Clock;
  readonly #orders: Int32Array;
  readonly #sleepMs: Float64Array;
  #order = 0;
  #atMs = 0;
  #wake: (() => void) | undefined;

  private constructor(clock: Clock, thread: Worker, memory: SharedArrayBuffer) {
    const { orders, sleepMs } = alarmMemory(memory);
    this.#clock = clock;
    this.#orders = orders;
    this.#sleepMs = sleepMs;
    thread.on('message', (order: number) => this.#turn(order));
  }

  static open(clock: Clock): Promise<ThreadAlarm> {
    return new Promise((resolve, reject) => {
      const memory = new SharedArrayBuffer(ALARM_MEMORY_BYTES);
      const script = new URL('./alarm-thread.js', import.meta.url);
      const thread = new Worker(script, { workerData: memory });
      thread.once('error', reject);
      // Not `online`, which comes before its script has run.
      thread.once('message', () => {
        thread.off('error', reject);
        resolve(new ThreadAlarm(clock, thread, memory));
      });
    });
  }

  until(monotonicMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#atMs = monotonicMs;
      const waitMs = monotonicMs - this.#clock.monotonicMs();
      const earlyMs = Math.min(EARLY_MS_MAX, Math.max(EARLY_MS_MIN, EARLY_RATIO * waitMs));
      const sleepMs = waitMs - earlyMs;
      this.#order = (this.#order + 1) | 0;
      if (sleepMs <= 0) this.#turn(this.#order);
      else this.#sleep(sleepMs);
    });
  }

  ring(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  close(): void {
    this.ring();
    // It ends by itself: a thread that is ended while it sleeps may take its process with it into a deadlock.
    this.#order = (this.#order + 1) | 0;
    this.#sleep(NO_MORE);
  }

  #sleep(sleepMs: number): void {
    this.#sleepMs[0] = sleepMs;
    Atomics.store(this.#orders, 0, this.#order);
    Atomics.notify(this.#orders, 0);
  }

  /** A wait that is over, or another one's, is not turned for. */
  #turn(order: number): void {
    if (!this.#wake || order !== this.#order) return;
    if (this.#clock.monotonicMs() >= this.#atMs) this.ring();
    else setImmediate(() => this.#turn(order));
  }
}
