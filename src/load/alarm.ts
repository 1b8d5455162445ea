import { Worker } from 'node:worker_threads';
import type { Clock } from '../core/clock.ts';
import { ALARM_MEMORY_BYTES, alarmMemory } from './alarm-memory.ts';

/** Wakes at moments of the monotonic clock. One wait at a time. */
export interface Alarm {
  /** Resolves at the moment, or a little after it; earlier only where `ring` is called, or by a timer's rounding. */
  until(monotonicMs: number): Promise<void>;
  /** Ends the present wait, if there is one. */
  ring(): void;
  close(): void;
}

/** What waking a thread and a message from it take; the rest of the time the event loop turns. */
const EARLY_MS = 0.15;

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
      this.#timer = setTimeout(resolve, monotonicMs - this.#clock.monotonicMs());
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
 * come: a wait costs EARLY_MS of a core at most.
 */
class ThreadAlarm implements Alarm {
  readonly #clock: Clock;
  readonly #thread: Worker;
  readonly #orders: Int32Array;
  readonly #sleepMs: Float64Array;
  #order = 0;
  #atMs = 0;
  #wake: (() => void) | undefined;

  private constructor(clock: Clock, thread: Worker, memory: SharedArrayBuffer) {
    const { orders, sleepMs } = alarmMemory(memory);
    this.#clock = clock;
    this.#thread = thread;
    this.#orders = orders;
    this.#sleepMs = sleepMs;
    thread.on('message', (order: number) => {
      if (order === this.#order) this.#turn();
    });
  }

  static open(clock: Clock): Promise<ThreadAlarm> {
    return new Promise((resolve, reject) => {
      const memory = new SharedArrayBuffer(ALARM_MEMORY_BYTES);
      const script = new URL('./alarm-thread.js', import.meta.url);
      const thread = new Worker(script, { workerData: memory });
      thread.once('error', reject);
      thread.once('online', () => {
        thread.off('error', reject);
        resolve(new ThreadAlarm(clock, thread, memory));
      });
    });
  }

  until(monotonicMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#atMs = monotonicMs;
      this.#order = (this.#order + 1) | 0;
      const sleepMs = monotonicMs - this.#clock.monotonicMs() - EARLY_MS;
      if (sleepMs <= 0) {
        this.#turn();
        return;
      }
      this.#sleepMs[0] = sleepMs;
      Atomics.store(this.#orders, 0, this.#order);
      Atomics.notify(this.#orders, 0);
    });
  }

  ring(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  close(): void {
    this.ring();
    void this.#thread.terminate();
  }

  #turn(): void {
    if (!this.#wake) return;
    if (this.#clock.monotonicMs() >= this.#atMs) this.ring();
    else setImmediate(() => this.#turn());
  }
}
