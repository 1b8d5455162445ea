import { setTimeout as pause } from 'node:timers/promises';
import type { RunningGateway } from '../e2e/a-gateway.ts';

/** What callers of a gateway saw: answers by version, and what was wrong with answers, in words. */
export type Seen = { readonly versions: Map<string, number>; readonly faults: string[] };

type Answer = {
  readonly model_version: string;
  readonly outputs: readonly { readonly data: readonly number[] }[];
};

/** Asks a gateway's model `m`; each request has numbers of its own, which have to come back. */
export class Caller {
  readonly #url: string;
  #count = 0;

  constructor(gateway: RunningGateway) {
    this.#url = `http://127.0.0.1:${gateway.httpPort}/v2/models/m/infer`;
  }

  /** So many requests, eight at a time. A refused connection is a fault, unless the gateway is being killed. */
  async ask(count: number, isKilled: () => boolean = () => false): Promise<Seen> {
    const seen: Seen = { versions: new Map(), faults: [] };
    let left = count;
    const askOnes = async (): Promise<void> => {
      for (; left > 0 && !isKilled(); ) {
        left -= 1;
        await this.#askOne(seen, isKilled);
      }
    };
    await Promise.all(Array.from({ length: 8 }, askOnes));
    return seen;
  }

  async #askOne({ versions, faults }: Seen, isKilled: () => boolean): Promise<void> {
    this.#count += 1;
    const data = [this.#count, -this.#count / 4];
    const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data }] });
    try {
      const response = await fetch(this.#url, { method: 'POST', body });
      const answer = (await response.json()) as Answer;
      if (!response.ok) faults.push(`${response.status}: ${JSON.stringify(answer)}`);
      else if (String(answer.outputs[0]?.data) !== String(data))
        faults.push(`asked ${data}, answered ${answer.outputs[0]?.data}`);
      else versions.set(answer.model_version, (versions.get(answer.model_version) ?? 0) + 1);
    } catch (error) {
      // The connection may end before the news of the process does.
      await pause(500);
      if (!isKilled()) faults.push(String(error));
    }
  }
}

/** The admin API of a gateway. Commands that were answered with `durable: true` are remembered: they must be on record. */
export class Operator {
  readonly #gateway: RunningGateway;
  readonly acknowledged: string[] = [];
  #count = 0;

  constructor(gateway: RunningGateway) {
    this.#gateway = gateway;
  }

  async get(path: string): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.#gateway.adminUrl}/api/v1/models/m/${path}`);
    return (await answer.json()) as Record<string, unknown>;
  }

  /** `promote`, `abort` or `resume`, with a reason of its own. */
  async command(kind: string): Promise<void> {
    this.#count += 1;
    const reason = `${kind} ${process.pid}-${this.#gateway.pid}-${this.#count}`;
    const { durable } = await this.#send('POST', `rollout/${kind}`, { reason });
    if (durable === true) this.acknowledged.push(reason);
  }

  /** Tries the version that is not stable: its share grows with every so many requests, and errors are judged in the end. */
  async start(): Promise<void> {
    const candidate = (await this.get('route'))['stable'] === '1' ? '2' : '1';
    const { rolloutId, durable } = await this.#send('POST', 'rollout', {
      candidate,
      minRequests: 40,
      minDuration: '100ms',
      margins: { errors: { ratio: 100, absolute: 0.5 } },
      steps: [
        { setMirror: { percentage: 50 } },
        { setWeight: { percent: 20, control: true } },
        { setWeight: { percent: 50 } },
        { analysis: { metrics: ['errors'] } },
        'promote',
      ],
    });
    if (durable === true) this.acknowledged.push(String(rolloutId));
  }

  /** Gives each version a half. */
  async split(): Promise<void> {
    const { revision, stable } = await this.get('route');
    const body = { revision, stable, split: { 1: 50, 2: 50 } };
    await this.#send('PUT', 'route', body);
  }

  /** Gives everything to stable, so that a rollout finds no other version in its way. */
  async unsplit(): Promise<void> {
    const { revision, stable, shares } = await this.get('route');
    if (!Array.isArray(shares) || shares.length === 1) return;
    await this.#send('PUT', 'route', { revision, stable, split: { [String(stable)]: 100 } });
  }

  async #send(method: string, path: string, body: object): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.#gateway.adminUrl}/api/v1/models/m/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await answer.json()) as Record<string, unknown>;
  }
}
