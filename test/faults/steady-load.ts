/** The same load on two gateways in parallel, checked against the one right answer. */
import { Agent, request } from 'node:http';
import { ANSWER, INPUT } from './models.ts';

/** What became of the requests of a while. */
export type Tally = {
  readonly sent: number;
  readonly failed: number;
  /** How often, by what went wrong. */
  readonly faults: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

const BODY = JSON.stringify({
  inputs: [{ name: 'x', shape: [1, INPUT.length], datatype: 'FP32', data: INPUT }],
});

/** Longer than any deadline here: what hangs for so long is a failure by itself. */
const ANSWER_MS_MAX = 20_000;

type Ended = { readonly fault: string | undefined; readonly tookMs: number };

/** An open loop: requests leave when they are due, regardless of those before. */
export class SteadyLoad {
  readonly #agent: Agent;
  readonly #url: string;
  readonly #everyMs: number;
  #pending: Promise<Ended>[] = [];
  #dueMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  /** Without `keepAlive` each request comes on a connection of its own. */
  constructor(port: number, perSecond: number, { keepAlive } = { keepAlive: true }) {
    this.#agent = new Agent({ keepAlive, maxSockets: 512 });
    this.#url = `http://127.0.0.1:${port}/v2/models/fashion/infer`;
    this.#everyMs = 1_000 / perSecond;
  }

  start(): void {
    this.#dueMs = performance.now();
    this.#next();
  }

  /** All that were sent since the start or the last look, once each has ended. */
  async take(): Promise<Tally> {
    const pending = this.#pending;
    this.#pending = [];
    return tallyOf(await Promise.all(pending));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#agent.destroy();
  }

  #next(): void {
    const nowMs = performance.now();
    for (; this.#dueMs <= nowMs; this.#dueMs += this.#everyMs) this.#pending.push(this.#ask());
    this.#timer = setTimeout(() => this.#next(), this.#dueMs - nowMs);
  }

  #ask(): Promise<Ended> {
    const startedMs = performance.now();
    return new Promise((resolve) => {
      const end = (fault: string | undefined): void =>
        resolve({ fault, tookMs: performance.now() - startedMs });
      const headers = { 'content-type': 'application/json', 'content-length': BODY.length };
      const options = { method: 'POST', agent: this.#agent, headers, timeout: ANSWER_MS_MAX };
      const call = request(this.#url, options, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece) => {
          text += String(piece);
        });
        answer.once('end', () => end(faultOf(answer.statusCode ?? 0, text)));
        answer.once('error', ({ message }) => end(message));
      });
      call.once('timeout', () => call.destroy(new Error('no answer')));
      call.once('error', ({ message }) => end(message));
      call.end(BODY);
    });
  }
}

function faultOf(status: number, text: string): string | undefined {
  if (status !== 200) return `${status} ${text.slice(0, 200)}`;
  const { outputs } = JSON.parse(text) as { outputs: readonly { shape: unknown; data: unknown }[] };
  const found = JSON.stringify([outputs[0]?.shape, outputs[0]?.data]);
  const isRight = found === JSON.stringify([[1, ANSWER.length], ANSWER]);
  return isRight ? undefined : `answered ${found}`;
}

function tallyOf(ended: readonly Ended[]): Tally {
  const faults: Record<string, number> = {};
  for (const { fault } of ended) if (fault !== undefined) faults[fault] = (faults[fault] ?? 0) + 1;
  const tookMs = ended.map((one) => one.tookMs).sort((a, b) => a - b);
  const at = (quantile: number): number => tookMs[Math.floor(quantile * tookMs.length)] ?? 0;
  const failed = Object.values(faults).reduce((sum, count) => sum + count, 0);
  return { sent: ended.length, failed, faults, p50Ms: at(0.5), p99Ms: at(0.99) };
}
