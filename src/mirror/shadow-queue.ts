/**
 * The queue of one candidate's shadow host. A request takes a place when it is sampled, before any outcome is known, and gives it
 * back when its outcome is known. In between it is held (until its live answer is there), waiting (for the shadow host) or
 * running. Limits: the number of held and waiting requests, the number of running ones, the time that one waits, and the bytes of
 * all of them together, with those of their live answers and of the backlog of a shadow host that hangs.
 *
 * Work is begun in a turn of its own, so that nothing here runs inside a live request's; and where requests are gathered for
 * a few milliseconds, one write to the shadow host, one wake-up of its process and one run there serve several.
 */
import type { Clock } from '../core/clock.ts';
import { ServeError } from '../core/errors.ts';
import type { Lapse } from '../core/messages.ts';
import type { Observation, Pair } from '../core/outcome.ts';
import { ownTensors } from '../core/own-tensors.ts';
import { StuckRunError } from '../core/stuck-run.ts';
import { tensorBytes } from '../core/tensor.ts';
import { type BusyMark, BusyTime } from './busy-time.ts';
import { contentOf } from './content.ts';
import type { DropReason, Mirrored, MirrorOutcome, ShadowHost } from './mirrored.ts';

export type ShadowLimits = {
  /** Requests in flight in one shadow host. */
  readonly concurrency: number;
  /** Requests that await their live answer or their turn. */
  readonly queueRequestsMax: number;
  /** Tensor bytes of all requests whose outcome is not known, and of their live answers. */
  readonly queueBytesMax: number;
  /** From the live answer to the moment at which a request that still waits is dropped. */
  readonly deadlineMs: number;
  /** After that, how long the shadow host may take for those that it has: how long a run took is evidence, too. */
  readonly lateMs: number;
  /** How long a request may wait for others to fill a batch. 0 or undefined: not at all. Triton `max_queue_delay_microseconds`. */
  readonly gatherMs?: number;
};

export type ShadowQueueOptions = {
  readonly limits: ShadowLimits;
  readonly clock: Clock;
  readonly shadowHost: () => ShadowHost | undefined;
  /** Whether the copies of all models together may hold so many bytes more. */
  readonly hasRoom: (bytes: number) => boolean;
  readonly offer: (pair: Pair, mirrored: Mirrored) => void;
  /** Called for a time-out of a request that comes to no pair. */
  readonly onLapse: (lapse: Lapse) => void;
  /** Called once for each request that was admitted and not released. */
  readonly settle: (mirrored: Mirrored, outcome: MirrorOutcome) => void;
  readonly onInternalError: (operation: string, error: unknown) => void;
};

/** The shadow host's part of a pair. */
type ShadowSide = Pick<Pair, 'candidate' | 'twin' | 'shadowRun' | 'anchor'>;

/** What came of a run: the shadow host's part of a pair, or why there is no pair. */
type RunEnd = ShadowSide | MirrorOutcome;

/** The candidate's place among the sources of a shadow host. */
const CANDIDATE = 0;

type Waiting = {
  readonly mirrored: Mirrored;
  readonly stable: Observation;
  readonly deadlineMs: number;
  /** How long the live caller would have waited. */
  readonly budgetMs: number;
  /** When it began to wait. */
  readonly since: BusyMark;
  /** Of the request and its live answer. */
  readonly bytes: number;
};

export class ShadowQueue {
  readonly #options: ShadowQueueOptions;
  readonly #waiting: Waiting[] = [];
  readonly #busy = new BusyTime();
  #places = 0;
  #bytes = 0;
  #running = 0;
  /** Pairs that are there but for the anchor's answer. They hold bytes, and no place of a run. */
  #awaitingAnchor = 0;
  #isPumpDue = false;
  #isClosed = false;
  #idle: (() => void)[] = [];
  /** Runs are numbered as they begin. A crash takes down all that had begun when it was seen. */
  #begun = 0;
  #begunAtLastCrash = 0;

  constructor(options: ShadowQueueOptions) {
    this.#options = options;
  }

  /** Bytes held here, and those of the shadow host's backlog. */
  get heldBytes(): number {
    return this.#bytes + this.#backlogBytes();
  }

  /** A fault of a shadow host is reported at the next run in it. */
  #backlogBytes(): number {
    try {
      return this.#options.shadowHost()?.backlogBytes() ?? 0;
    } catch {
      return 0;
    }
  }

  /** Takes a place for a request, or says why there is none. */
  admit(bytes: number): DropReason | undefined {
    if (this.#isClosed) return 'shuttingDown';
    if (this.#places >= this.#options.limits.queueRequestsMax) return 'queueFull';
    if (!this.#hasRoom(bytes)) return 'bytesFull';
    this.#places += 1;
    this.#bytes += bytes;
    return undefined;
  }

  /** Gives the place of a held request back: its live side is no half of a pair. */
  release(mirrored: Mirrored): void {
    this.#places -= 1;
    this.#bytes -= mirrored.bytes;
  }

  /** The live side of a held request is known: queues it, unless there is no room for its answer. Does not block. */
  submit(mirrored: Mirrored, answered: Observation, budgetMs: number): void {
    const stable = withoutSlack(answered);
    const answerBytes = stable.kind === 'answer' ? tensorBytes(stable.outputs) : 0;
    if (!this.#hasRoom(answerBytes)) {
      this.release(mirrored);
      this.#options.settle(mirrored, { kind: 'dropped', reason: 'bytesFull' });
      return;
    }
    this.#bytes += answerBytes;
    const since = this.#busy.mark(this.#options.clock.monotonicMs());
    const deadlineMs = since.atMs + this.#options.limits.deadlineMs;
    const bytes = mirrored.bytes + answerBytes;
    this.#waiting.push({ mirrored, stable, deadlineMs, budgetMs, since, bytes });
    this.#pumpSoon();
  }

  /** Drops what waits, admits nothing more, and resolves once nothing runs, or after the deadline: a run that hangs is left behind. */
  close(): Promise<void> {
    this.#isClosed = true;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#options.limits.deadlineMs);
      this.#idle.push(() => {
        clearTimeout(timer);
        resolve();
      });
      this.#pumpSoon();
    });
  }

  #pumpSoon(): void {
    if (this.#isPumpDue) return;
    this.#isPumpDue = true;
    const pump = (): void => {
      this.#isPumpDue = false;
      this.#pump();
    };
    const { gatherMs = 0 } = this.#options.limits;
    if (gatherMs > 0) setTimeout(pump, gatherMs);
    else setImmediate(pump);
  }

  #pump(): void {
    const { limits, clock } = this.#options;
    while (this.#isClosed || this.#running < limits.concurrency) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#places -= 1;
      if (this.#isClosed) this.#drop(next, 'shuttingDown');
      else if (next.deadlineMs <= clock.monotonicMs()) this.#expire(next);
      else void this.#run(next);
    }
    if (!this.#isClosed || this.#running + this.#awaitingAnchor > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #hasRoom(bytes: number): boolean {
    const { limits, hasRoom } = this.#options;
    return this.heldBytes + bytes <= limits.queueBytesMax && hasRoom(bytes);
  }

  /** What waited in vain behind a version that is much slower than the other is a time-out of that one. */
  #expire(waiting: Waiting): void {
    const by = this.#busy.blame(waiting.since, this.#options.clock.monotonicMs());
    const { mirrored } = waiting;
    if (by !== undefined && mirrored.twin) this.#lapse(mirrored, { by, kind: 'timeout' });
    this.#drop(waiting, 'expired');
  }

  /** Checks of the mirror are no evidence. */
  #lapse({ isCheck }: Mirrored, lapse: Lapse): void {
    if (isCheck) return;
    try {
      this.#options.onLapse(lapse);
    } catch (thrown) {
      this.#options.onInternalError('count time-out', thrown);
    }
  }

  #drop({ mirrored, bytes }: Waiting, reason: DropReason): void {
    this.#bytes -= bytes;
    this.#options.settle(mirrored, { kind: 'dropped', reason });
  }

  async #run(waiting: Waiting): Promise<void> {
    this.#running += 1;
    this.#begun += 1;
    const anchor = this.#askAnchor(waiting);
    const end = await this.#endOf(waiting, this.#begun);
    this.#running -= 1;
    const outcome = 'kind' in end ? end : await this.#paired(waiting, end, anchor);
    this.#bytes -= waiting.bytes;
    this.#options.settle(waiting.mirrored, outcome);
    this.#pumpSoon();
  }

  /** Begins as the shadow host does. Undefined: it is not to be asked. */
  #askAnchor({ mirrored, deadlineMs }: Waiting): Promise<Observation | undefined> | undefined {
    if (mirrored.anchor !== true) return undefined;
    try {
      const copy = { ...mirrored.request, priority: 0, deadlineMs };
      return this.#options.shadowHost()?.anchor?.answer(copy);
    } catch {
      // A shadow host that is not there is reported by the run in it.
      return undefined;
    }
  }

  async #paired(
    waiting: Waiting,
    side: ShadowSide,
    asked: Promise<Observation | undefined> | undefined,
  ): Promise<MirrorOutcome> {
    if (asked === undefined) return this.#offer(waiting, side);
    this.#awaitingAnchor += 1;
    // The next request need not wait for it.
    this.#pumpSoon();
    const anchor = await asked;
    this.#awaitingAnchor -= 1;
    return this.#offer(waiting, { ...side, anchor });
  }

  /** Never rejects. */
  async #endOf(waiting: Waiting, run: number): Promise<RunEnd> {
    const { request, twin, candidateFirst } = waiting.mirrored;
    const { budgetMs } = waiting;
    const deadlineMs = waiting.deadlineMs + this.#options.limits.lateMs;
    try {
      const shadowHost = this.#options.shadowHost();
      if (shadowHost === undefined) return { kind: 'failed' };
      // Mirrored requests are all alike in urgency: no client waits for them.
      const copy = { ...request, priority: 0, deadlineMs };
      const result = await shadowHost.run(copy, { twin, candidateFirst });
      this.#busy.learn(result, budgetMs);
      return result;
    } catch (thrown) {
      const error = ServeError.from(thrown);
      if (error instanceof StuckRunError) return this.#hung(waiting, run, error);
      if (diedWithIt(error)) return this.#lost(run, error.message);
      if (error.code === 'deadline_exceeded') return { kind: 'timedOut' };
      if (!(thrown instanceof ServeError)) this.#options.onInternalError('shadow host', thrown);
      return { kind: 'failed' };
    }
  }

  /**
   * The shadow host exited with the request in flight. That is the candidate's failure and must count against it, and one crash is one
   * failure however many requests were in flight: the first one reported is the pair, the others were not compared.
   */
  #lost(run: number, message: string): RunEnd {
    if (run <= this.#begunAtLastCrash) return { kind: 'failed' };
    this.#begunAtLastCrash = this.#begun;
    const candidate = { kind: 'failure', code: 'host_lost', message } as const;
    return { candidate, twin: undefined, shadowRun: undefined };
  }

  /** Its process is being killed, and takes all that it had along: one event, as a crash is. */
  #hung({ mirrored }: Waiting, run: number, { source }: StuckRunError): MirrorOutcome {
    if (run <= this.#begunAtLastCrash) return { kind: 'failed' };
    this.#begunAtLastCrash = this.#begun;
    const known = source === CANDIDATE ? 'candidate' : 'twin';
    this.#lapse(mirrored, { by: mirrored.twin ? known : 'unknown', kind: 'hang' });
    return { kind: 'timedOut' };
  }

  #offer(waiting: Waiting, run: ShadowSide): MirrorOutcome {
    const { mirrored, stable, budgetMs } = waiting;
    const { drawnMs, request, byControl } = mirrored;
    const { id, unit, attributes, inputs } = request;
    const isLate = this.#options.clock.monotonicMs() > waiting.deadlineMs;
    const ids = { requestId: id, unit, content: contentOf(request), drawnMs, attributes, inputs };
    const answeredMs = waiting.since.atMs;
    const pair = { ...ids, byControl, answeredMs, stable, budgetMs, isLate, ...run };
    try {
      this.#options.offer(pair, mirrored);
      return { kind: 'paired' };
    } catch (thrown) {
      this.#options.onInternalError('offer pair', thrown);
      return { kind: 'failed' };
    }
  }
}

/**
 * True if the shadow host exited with the request in flight. One that reports itself lost because it was not ready (it is
 * being restarted after a crash that has counted) never began on the request.
 */
function diedWithIt({ code, cause }: ServeError): boolean {
  const neverBegan = cause instanceof ServeError && cause.code === 'version_not_ready';
  return code === 'host_lost' && !neverBegan;
}

function withoutSlack(observation: Observation): Observation {
  if (observation.kind === 'failure') return observation;
  return { ...observation, outputs: ownTensors(observation.outputs) };
}
