import { type Deferred, deferred } from '../../concurrency/deferred.ts';
import { within } from '../../concurrency/within.ts';
import { type Clock, TIMER_MS_MAX } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import type { ScheduledArrivals } from '../nouns/arrivals.ts';
import type { LoadReport } from '../nouns/load-report.ts';
import { type Alarm, openAlarm as openPreciseAlarm, TimerAlarm } from './alarm.ts';
import { Backlog } from './backlog.ts';
import type { Load, Part } from './load.ts';
import { type Flight, Observer } from './observer.ts';
import { type LoadShare, reportOf } from './share.ts';
import { startsOf } from './starts.ts';

/** Requests sent in one turn of the event loop at most: a generator that runs late must still read answers. */
const SENT_PER_TURN_MAX = 64;
/** Opened before an open-loop load begins; more are opened when they are needed. */
const OPEN_FIRST = 32;
/** How long after its end a load still sends what should have been sent before. */
const LATE_MS_MAX = 100;
/** A closed loop whose connection fails waits so long: it must not storm a server that is down. */
const PAUSE_MS = 100;
const PULSE_MS = 200;
/** Looks for requests that take too long: so many in each time-out, and no more rarely than that. */
const SWEEPS = 20;
const SWEEP_MS_MAX = 100;

export type LoadTools = {
  readonly clock: Clock;
  /** Wakes an open loop when a request is due; a precise alarm by default. */
  readonly openAlarm?: (clock: Clock) => Promise<Alarm>;
};

/** Runs a load to its end (its time is over, nothing is left to send, or it was ended) and awaits the answers. */
export async function runLoad(load: Load, tools: LoadTools): Promise<LoadReport> {
  const begin = (): Promise<number> => Promise.resolve(tools.clock.monotonicMs());
  const share = await runPart(load, { of: 1, at: 0, begin }, tools);
  return reportOf(load, [share]);
}

/** Runs what one process does of a load. The load's concurrency and `inFlightMax` are this process's own. */
export async function runPart(
  load: Load,
  part: Part,
  { clock, openAlarm = openPreciseAlarm }: LoadTools,
): Promise<LoadShare> {
  const { arrivals, sender } = load;
  // A closed loop has only its end to wait for.
  const alarm = arrivals.kind === 'closed' ? new TimerAlarm(clock) : await openAlarm(clock);
  try {
    const run = new LoadRun(load, part, { clock, alarm });
    if (arrivals.kind === 'closed') {
      await openInTime(load, arrivals.concurrency);
      run.begin(await part.begin());
      return await run.sendClosed(arrivals.concurrency);
    }
    await openInTime(load, Math.min(OPEN_FIRST, load.inFlightMax));
    run.begin(await part.begin());
    return await run.sendOpen(arrivals);
  } finally {
    alarm.close();
    sender.close();
  }
}

/**
 * Opens connections beforehand, as far as that goes: a server that takes none, or takes them and stays silent, must not keep
 * a load from beginning. Each of its requests is then counted with what became of it.
 */
async function openInTime({ sender, timeoutMs }: Load, inFlight: number): Promise<void> {
  const opened = sender.open(inFlight).catch(() => undefined);
  await within(opened, Math.min(timeoutMs, TIMER_MS_MAX));
}

class LoadRun {
  readonly #load: Load;
  readonly #part: Part;
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #observer: Observer;
  /** In the order of their sending, which is that of their giving up. Those that are over stay until the next sweep. */
  #sent: Flight[] = [];
  #inFlight = 0;
  readonly #backlog = new Backlog();
  #startMs = 0;
  #place: number;
  #isExhausted = false;
  #sendsClosed = false;
  #pausing = 0;
  #settled: Deferred<void> | undefined;

  constructor(load: Load, part: Part, { clock, alarm }: { clock: Clock; alarm: Alarm }) {
    this.#load = load;
    this.#part = part;
    this.#clock = clock;
    this.#alarm = alarm;
    this.#observer = new Observer(load, { pulses: part.onPulse !== undefined });
    this.#place = part.at;
  }

  begin(startMs: number): void {
    this.#startMs = startMs;
    this.#observer.begin(startMs);
  }

  /** Sends each request at its intended start, regardless of the ones before. */
  async sendOpen(arrivals: ScheduledArrivals): Promise<LoadShare> {
    return await this.#whileWatched(async () => {
      await this.#sendScheduled(this.#ownStarts(arrivals));
    });
  }

  /** Keeps `concurrency` requests in flight. */
  async sendClosed(concurrency: number): Promise<LoadShare> {
    return await this.#whileWatched(async () => {
      await this.#alarm.until(this.#startMs);
      this.#sendsClosed = true;
      for (let sent = 0; sent < concurrency && this.#sendsClosed; sent += 1) this.#sendNext();
      while (this.#sendsClosed && !this.#isEnded && this.#clock.monotonicMs() < this.#endMs)
        await this.#alarm.until(this.#endMs);
      this.#sendsClosed = false;
    });
  }

  get #isEnded(): boolean {
    return this.#load.signal?.aborted === true;
  }

  get #endMs(): number {
    return this.#startMs + this.#load.durationMs;
  }

  /** Sends, awaits the requests in flight, and returns the results. */
  async #whileWatched(send: () => Promise<void>): Promise<LoadShare> {
    const { signal, timeoutMs, durationMs } = this.#load;
    const ring = (): void => this.#alarm.ring();
    const sweep = setInterval(() => this.#sweep(), Math.min(SWEEP_MS_MAX, timeoutMs / SWEEPS));
    const pulse = setInterval(() => this.#pulse(), PULSE_MS);
    signal?.addEventListener('abort', ring);
    try {
      await send();
      const isShort = this.#isExhausted || this.#isEnded;
      const elapsedMs = this.#clock.monotonicMs() - this.#startMs;
      if (isShort) this.#observer.end(elapsedMs);
      await this.#settle();
      this.#pulse();
      return this.#observer.share(isShort ? Math.min(durationMs, elapsedMs) : durationMs);
    } finally {
      clearInterval(sweep);
      clearInterval(pulse);
      signal?.removeEventListener('abort', ring);
    }
  }

  async #sendScheduled(nextMs: () => number | undefined): Promise<void> {
    let sent = 0;
    for (let atMs = nextMs(); atMs !== undefined && !this.#isEnded; ) {
      const nowMs = this.#clock.monotonicMs();
      if (atMs > nowMs) {
        await this.#alarm.until(atMs);
        continue;
      }
      if (nowMs > this.#endMs + LATE_MS_MAX) this.#miss(atMs);
      else if (!this.#offer(atMs)) return;
      atMs = nextMs();
      sent += 1;
      if (sent % SENT_PER_TURN_MAX === 0) await new Promise((turn) => setImmediate(turn));
    }
  }

  /** The intended starts that are this process's, on the monotonic clock. */
  #ownStarts(arrivals: ScheduledArrivals): () => number | undefined {
    const { durationMs, seed } = this.#load;
    const next = startsOf(arrivals, durationMs, seededRandom(seed));
    let skip = this.#part.at;
    return () => {
      for (; skip > 0; skip -= 1) next();
      skip = this.#part.of - 1;
      const atMs = next();
      return atMs === undefined ? undefined : this.#startMs + atMs;
    };
  }

  /** False where there is nothing left to send. */
  #offer(intendedMs: number): boolean {
    const flight = this.#flightAt(intendedMs);
    if (!flight) return false;
    if (this.#inFlight >= this.#load.inFlightMax || this.#backlog.length > 0) {
      if (!this.#backlog.push(flight)) this.#observer.failed(intendedMs, 'not sent');
      return true;
    }
    this.#send(flight);
    this.#observer.sentWithRoom(flight);
    return true;
  }

  #miss(intendedMs: number): void {
    this.#observer.offered(intendedMs);
    this.#observer.missed(intendedMs);
  }

  #flightAt(intendedMs: number): Flight | undefined {
    const place = this.#place;
    const bytes = this.#load.next(place);
    if (!bytes) {
      this.#isExhausted = true;
      return undefined;
    }
    this.#place += this.#part.of;
    this.#observer.offered(intendedMs);
    return { place, bytes, intendedMs, sentMs: intendedMs, answer: undefined };
  }

  #send(flight: Flight): void {
    flight.sentMs = this.#clock.monotonicMs();
    const answer = this.#load.sender.send(flight.bytes);
    flight.answer = answer;
    this.#sent.push(flight);
    this.#inFlight += 1;
    answer.then(
      (whole) => {
        if (!this.#end(flight)) return;
        this.#observer.answered(flight, whole, this.#clock.monotonicMs());
        this.#sendNext();
      },
      (error: unknown) => {
        if (!this.#end(flight)) return;
        this.#observer.failed(flight.intendedMs, `connection: ${codeOf(error)}`);
        if (this.#sendsClosed) this.#sendLater();
        else this.#sendNext();
      },
    );
  }

  /** Where there is room again. */
  #sendNext(): void {
    const waiting = this.#backlog.shift();
    if (waiting) {
      this.#send(waiting);
      this.#observer.sentFromBacklog(waiting);
    } else if (this.#sendsClosed) this.#sendOneMore();
    this.#tellWhereSettled();
  }

  #sendOneMore(): void {
    const nowMs = this.#clock.monotonicMs();
    const flight = this.#isEnded || nowMs >= this.#endMs ? undefined : this.#flightAt(nowMs);
    if (flight) {
      this.#send(flight);
      return;
    }
    this.#sendsClosed = false;
    this.#alarm.ring();
  }

  #sendLater(): void {
    this.#pausing += 1;
    setTimeout(() => {
      this.#pausing -= 1;
      this.#sendNext();
    }, PAUSE_MS);
  }

  /** False where it had ended before. */
  #end(flight: Flight): boolean {
    if (!flight.answer) return false;
    flight.answer = undefined;
    this.#inFlight -= 1;
    return true;
  }

  /** Gives up what has been in flight for too long. */
  #sweep(): void {
    const sinceMs = this.#clock.monotonicMs() - this.#load.timeoutMs;
    this.#sent = this.#sent.filter(({ answer }) => answer !== undefined);
    const tooLong = this.#sent.findIndex(({ sentMs }) => sentMs > sinceMs);
    for (const flight of this.#sent.slice(0, tooLong < 0 ? undefined : tooLong)) {
      this.#giveUp(flight);
      this.#sendNext();
    }
  }

  #giveUp(flight: Flight): void {
    const { answer } = flight;
    if (!answer || !this.#end(flight)) return;
    this.#observer.failed(flight.intendedMs, 'timeout');
    this.#load.sender.abandon?.(answer);
  }

  /** Waits for what is in flight, and for what waits behind it, no longer than a time-out after the load's end. */
  async #settle(): Promise<void> {
    this.#settled = deferred();
    const nowMs = this.#clock.monotonicMs();
    const restMs = this.#isEnded || this.#isExhausted ? 0 : Math.max(0, this.#endMs - nowMs);
    const waitMs = Math.min(TIMER_MS_MAX, restMs + this.#load.timeoutMs);
    const over = setTimeout(() => this.#settled?.resolve(), waitMs);
    this.#tellWhereSettled();
    await this.#settled.promise;
    clearTimeout(over);
    for (let left = this.#backlog.shift(); left; left = this.#backlog.shift())
      this.#observer.failed(left.intendedMs, 'not sent');
    for (const flight of this.#sent.splice(0)) this.#giveUp(flight);
  }

  #tellWhereSettled(): void {
    if (this.#inFlight + this.#backlog.length + this.#pausing === 0) this.#settled?.resolve();
  }

  #pulse(): void {
    this.#part.onPulse?.(
      this.#observer.pulse(this.#clock.monotonicMs(), {
        inFlight: this.#inFlight,
        waiting: this.#backlog.length,
      }),
    );
  }
}

/** Short enough to be counted by: what a system error is called, or what another one says. */
function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : messageOf(error);
}
