import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Random } from '../core/random.ts';
import { type Arrivals, gapsOf } from './arrivals.ts';
import { Connection, type HttpAnswer } from './connection.ts';
import { Latencies, type LatencySummary } from './latencies.ts';

/** Requests started in one turn of the event loop at most. */
const DISPATCHES_PER_TURN = 64;

/** One load: what to send where, when, and for how long. */
export type Load = {
  readonly host: string;
  readonly port: number;
  /** The bytes of the next request, or undefined when there are no more. */
  readonly next: () => Uint8Array | undefined;
  readonly arrivals: Arrivals;
  /** Requests in flight at once; an arrival beyond that waits, and its wait counts as latency. */
  readonly connectionsMax: number;
  readonly durationMs: number;
  /** Answers to requests that started before this are not measured. */
  readonly warmupMs: number;
  /** An answer later than this does not count as good. */
  readonly deadlineMs: number;
  /** Sees every answer as it comes. Must not throw. */
  readonly onAnswer?: (answer: HttpAnswer, sent: SentRequest) => void;
  readonly signal?: AbortSignal;
};

/** `place` counts the calls of `next` from 0; the latency is from the intended start. */
export type SentRequest = { readonly place: number; readonly latencyMs: number };

/** What a load saw. */
export type LoadReport = {
  readonly sent: number;
  /** Answers with status 200. */
  readonly ok: number;
  /** Answers with status 200 within the deadline, per second of measured time. */
  readonly goodPerSecond: number;
  readonly offeredPerSecond: number;
  readonly achievedPerSecond: number;
  /** Other statuses and broken connections, by kind (`503`, `connection: ...`). */
  readonly errors: Readonly<Record<string, number>>;
  /** From the intended start to the whole answer: what a user would have felt. */
  readonly latency: LatencySummary;
  /** From the write to the whole answer. */
  readonly service: LatencySummary;
  /** How late the generator itself started requests. A run with a large one says little about the server. */
  readonly lag: LatencySummary;
};

/** Runs a load to its end (duration over, nothing left to send, or aborted) and reports. All answers are awaited. */
export async function runLoad(
  load: Load,
  tools: { clock: Clock; random: Random },
): Promise<LoadReport> {
  const run = new LoadRun(load, tools.clock);
  await run.openConnections(
    load.arrivals.kind === 'closed' ? load.arrivals.concurrency : Math.min(8, load.connectionsMax),
  );
  if (load.arrivals.kind === 'closed') await run.sendClosed(load.arrivals.concurrency);
  else await run.sendOpen(gapsOf(load.arrivals, tools.random));
  await run.settle();
  return run.report();
}

type Start = { readonly bytes: Uint8Array; readonly place: number; readonly intendedMs: number };

class LoadRun {
  readonly #load: Load;
  readonly #clock: Clock;
  readonly #idle: Connection[] = [];
  readonly #backlog: Start[] = [];
  readonly #inFlight = new Set<Promise<void>>();
  readonly #latency = new Latencies();
  readonly #service = new Latencies();
  readonly #lag = new Latencies();
  readonly #errors: Record<string, number> = {};
  #connections = 0;
  #startedMs = 0;
  #endedMs = 0;
  #sent = 0;
  #offered = 0;
  #measured = 0;
  #ok = 0;
  #good = 0;

  constructor(load: Load, clock: Clock) {
    this.#load = load;
    this.#clock = clock;
  }

  async openConnections(count: number): Promise<void> {
    for (let opened = 0; opened < count; opened += 1) this.#idle.push(await this.#connect());
    this.#startedMs = this.#clock.monotonicMs();
  }

  /** Starts each request at its intended moment, to the timer's resolution of about a millisecond. */
  async sendOpen(nextGapMs: () => number): Promise<void> {
    let intendedMs = this.#startedMs + nextGapMs();
    while (!this.#isOver(intendedMs)) {
      const nowMs = this.#clock.monotonicMs();
      if (intendedMs > nowMs) {
        await new Promise((wake) => setTimeout(wake, intendedMs - nowMs));
        continue;
      }
      const start = this.#next(intendedMs);
      if (!start) break;
      this.#lag.add(nowMs - intendedMs);
      this.#dispatch(start);
      intendedMs += nextGapMs();
      // A generator that runs late must still read answers.
      if (this.#offered % DISPATCHES_PER_TURN === 0)
        await new Promise((next) => setImmediate(next));
    }
    this.#endedMs = this.#clock.monotonicMs();
  }

  /** Keeps `concurrency` requests in flight. */
  async sendClosed(concurrency: number): Promise<void> {
    const lane = async (): Promise<void> => {
      while (!this.#isOver(this.#clock.monotonicMs())) {
        const start = this.#next(this.#clock.monotonicMs());
        if (!start) return;
        await this.#send(this.#idle.pop() ?? (await this.#connect()), start);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
    this.#endedMs = this.#clock.monotonicMs();
  }

  async settle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
    for (const connection of this.#idle) connection.close();
  }

  report(): LoadReport {
    const seconds = Math.max(0.001, (this.#endedMs - this.#startedMs) / 1000);
    const measuredSeconds = Math.max(0.001, seconds - this.#load.warmupMs / 1000);
    return {
      sent: this.#sent,
      ok: this.#ok,
      goodPerSecond: this.#good / measuredSeconds,
      offeredPerSecond: this.#offered / seconds,
      achievedPerSecond: this.#measured / measuredSeconds,
      errors: this.#errors,
      latency: this.#latency.summary(),
      service: this.#service.summary(),
      lag: this.#lag.summary(),
    };
  }

  #isOver(atMs: number): boolean {
    return this.#load.signal?.aborted === true || atMs - this.#startedMs >= this.#load.durationMs;
  }

  #next(intendedMs: number): Start | undefined {
    const bytes = this.#load.next();
    if (!bytes) return undefined;
    const place = this.#offered;
    this.#offered += 1;
    return { bytes, place, intendedMs };
  }

  #dispatch(start: Start): void {
    const connection = this.#idle.pop();
    if (connection) this.#track(this.#send(connection, start));
    else if (this.#connections < this.#load.connectionsMax) this.#track(this.#sendOnNew(start));
    else this.#backlog.push(start);
  }

  #track(work: Promise<void>): void {
    this.#inFlight.add(work);
    void work.finally(() => this.#inFlight.delete(work));
  }

  async #sendOnNew(start: Start): Promise<void> {
    try {
      await this.#send(await this.#connect(), start);
    } catch (error) {
      this.#sent += 1;
      this.#countError(`connection: ${messageOf(error)}`);
    }
  }

  async #connect(): Promise<Connection> {
    this.#connections += 1;
    try {
      return await Connection.open(this.#load.host, this.#load.port);
    } catch (error) {
      this.#connections -= 1;
      throw error;
    }
  }

  async #send(connection: Connection, start: Start): Promise<void> {
    const sentMs = this.#clock.monotonicMs();
    this.#sent += 1;
    try {
      const answer = await connection.request(start.bytes);
      const nowMs = this.#clock.monotonicMs();
      const latencyMs = nowMs - start.intendedMs;
      this.#count(answer.status);
      if (start.intendedMs - this.#startedMs >= this.#load.warmupMs)
        this.#measure(answer.status, latencyMs, nowMs - sentMs);
      this.#load.onAnswer?.(answer, { place: start.place, latencyMs });
    } catch (error) {
      this.#countError(`connection: ${messageOf(error)}`);
    }
    this.#recycle(connection);
  }

  #recycle(connection: Connection): void {
    if (!connection.usable) this.#connections -= 1;
    const waiting = this.#backlog.shift();
    if (waiting && connection.usable) this.#track(this.#send(connection, waiting));
    else if (waiting) this.#track(this.#sendOnNew(waiting));
    else if (connection.usable) this.#idle.push(connection);
  }

  #count(status: number): void {
    if (status === 200) this.#ok += 1;
    else this.#countError(String(status));
  }

  #measure(status: number, latencyMs: number, serviceMs: number): void {
    this.#measured += 1;
    if (status !== 200) return;
    this.#latency.add(latencyMs);
    this.#service.add(serviceMs);
    if (latencyMs <= this.#load.deadlineMs) this.#good += 1;
  }

  #countError(kind: string): void {
    this.#errors[kind] = (this.#errors[kind] ?? 0) + 1;
  }
}
