import type { Answer } from '../nouns/sender.ts';
import { Histogram } from './histogram.ts';
import type { Load } from './load.ts';
import type { Pulse } from './pulse.ts';
import type { LoadShare } from './share.ts';
import { TimeLine } from './time-line.ts';

/** Kinds of error that are counted by name; more are `other`. */
const ERROR_KINDS_MAX = 32;
const WRONG_EXAMPLES_MAX = 5;

/** One request from its intended start on. Moments are on the monotonic clock. */
export type Flight = {
  readonly place: number;
  readonly bytes: Uint8Array;
  readonly intendedMs: number;
  sentMs: number;
  /** While it is in flight. */
  answer: Promise<Answer> | undefined;
};

/** Counts what becomes of the requests of one load. */
export class Observer {
  readonly #load: Load;
  readonly #timeLine: TimeLine;
  readonly #kinds = new Set<string>();
  readonly #wrongExamples: string[] = [];
  #startMs = 0;
  /** From the start. */
  #endMs: number;
  #answersInTime = 0;
  #missed = 0;
  #heldBack = 0;
  #heldBackMs = 0;
  #errors = 0;
  /** Since the last pulse; undefined: no pulses are asked for. */
  #recent: Histogram | undefined;
  #pulseMs = 0;

  constructor(load: Load, { pulses }: { readonly pulses: boolean }) {
    this.#load = load;
    this.#endMs = load.durationMs;
    this.#recent = pulses ? new Histogram() : undefined;
    this.#timeLine = new TimeLine(load);
  }

  begin(startMs: number): void {
    this.#startMs = startMs;
    this.#pulseMs = startMs;
  }

  /** The load is over earlier than planned: answers from now on come too late to be counted as in time. */
  end(elapsedMs: number): void {
    this.#endMs = Math.min(this.#endMs, elapsedMs);
  }

  offered(intendedMs: number): void {
    this.#timeLine.tallyAt(intendedMs - this.#startMs).offered += 1;
  }

  /** Sent when it was its turn: what it is late by is the generator's own. */
  sentWithRoom({ intendedMs, sentMs }: Flight): void {
    this.#timeLine.tallyAt(intendedMs - this.#startMs).lag.add(sentMs - intendedMs);
  }

  sentFromBacklog({ intendedMs, sentMs }: Flight): void {
    if (!this.#isMeasured(intendedMs)) return;
    this.#heldBack += 1;
    this.#heldBackMs += sentMs - intendedMs;
  }

  /** There was room, and the generator did not get to it. */
  missed(intendedMs: number): void {
    this.failed(intendedMs, 'not sent');
    if (this.#isMeasured(intendedMs)) this.#missed += 1;
  }

  answered(flight: Flight, answer: Answer, nowMs: number): void {
    const latencyMs = nowMs - flight.intendedMs;
    const error = answer.error ?? this.#differs(flight, answer);
    if (error === undefined) this.#succeeded(flight, latencyMs, nowMs);
    else this.failed(flight.intendedMs, error);
    this.#load.onAnswer?.(answer, { place: flight.place, latencyMs });
  }

  failed(intendedMs: number, kind: string): void {
    this.#errors += 1;
    this.#timeLine.tallyAt(intendedMs - this.#startMs).fail(this.#bounded(kind));
  }

  pulse(nowMs: number, { inFlight, waiting }: { inFlight: number; waiting: number }): Pulse {
    const latency = this.#recent ?? new Histogram();
    const sinceMs = nowMs - this.#pulseMs;
    this.#recent = new Histogram();
    this.#pulseMs = nowMs;
    return {
      elapsedMs: nowMs - this.#startMs,
      inFlight,
      waiting,
      answers: latency.count,
      sinceMs,
      latency: latency.data(),
      errors: this.#errors,
    };
  }

  /** `durationMs` is what the load really had. */
  share(durationMs: number): LoadShare {
    return {
      tallies: this.#timeLine.data(),
      answersInTime: this.#answersInTime,
      missed: this.#missed,
      heldBack: this.#heldBack,
      heldBackMs: this.#heldBackMs,
      wrongExamples: this.#wrongExamples,
      durationMs,
    };
  }

  #succeeded({ intendedMs, sentMs }: Flight, latencyMs: number, nowMs: number): void {
    const good = latencyMs <= this.#load.deadlineMs;
    const tally = this.#timeLine.tallyAt(intendedMs - this.#startMs);
    tally.succeed({ latencyMs, serviceMs: nowMs - sentMs, good });
    this.#recent?.add(latencyMs);
    const elapsedMs = nowMs - this.#startMs;
    if (elapsedMs >= this.#load.warmupMs && elapsedMs < this.#endMs) this.#answersInTime += 1;
  }

  #differs({ place }: Flight, answer: Answer): string | undefined {
    const difference = this.#load.check?.(place, answer);
    if (difference === undefined) return undefined;
    if (this.#wrongExamples.length < WRONG_EXAMPLES_MAX)
      this.#wrongExamples.push(`request ${place}: ${difference}`);
    return 'wrong answer';
  }

  #isMeasured(intendedMs: number): boolean {
    return intendedMs - this.#startMs >= this.#load.warmupMs;
  }

  #bounded(kind: string): string {
    if (this.#kinds.has(kind)) return kind;
    if (this.#kinds.size >= ERROR_KINDS_MAX) return 'other';
    this.#kinds.add(kind);
    return kind;
  }
}
