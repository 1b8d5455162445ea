import { type ChildProcess, fork } from 'node:child_process';
import type { TrafficNews, TrafficOrder } from './traffic.ts';

type Ended = Extract<TrafficNews, { kind: 'ended' }>;

/** Live traffic from a process of its own, under way until it is stopped or its time is over. */
export class TrafficProcess {
  readonly #child: ChildProcess;
  readonly #started: Promise<void>;
  readonly #ended: Promise<Ended>;

  constructor(order: TrafficOrder) {
    this.#child = fork(new URL('./traffic.js', import.meta.url));
    const news = (kind: TrafficNews['kind']): Promise<TrafficNews> => this.#news(kind);
    this.#started = news('started').then(() => undefined);
    this.#ended = news('ended') as Promise<Ended>;
    // The caller that asks for the end gets the error; until then a failure is not an unhandled one.
    this.#ended.catch(() => undefined);
    this.#started.catch(() => undefined);
    this.#child.send(order);
  }

  /** Resolves when the first request is about to be sent; rejects with the traffic's own words if it could not begin. */
  started(): Promise<void> {
    return this.#started;
  }

  /** From now on latencies are kept under this name. */
  mark(phase: string): void {
    if (this.#child.connected) this.#child.send({ mark: phase });
  }

  /** Ends the traffic and resolves once every answer is in. */
  stop(): Promise<Ended> {
    if (this.#child.connected) this.#child.send('stop');
    return this.#ended;
  }

  #news(wanted: TrafficNews['kind']): Promise<TrafficNews> {
    return new Promise((resolve, reject) => {
      this.#child.on('message', (news: TrafficNews) => {
        if (news.kind === 'failed') reject(new Error(`the demo's traffic failed: ${news.message}`));
        else if (news.kind === wanted) resolve(news);
      });
      this.#child.once('error', reject);
      this.#child.once('exit', (code, signal) =>
        reject(new Error(`the demo's traffic ended with ${signal ?? code}`)),
      );
    });
  }
}
