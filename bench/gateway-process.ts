import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const START_MS_MAX = 60_000;
const STOP_MS_MAX = 20_000;

type Ports = { readonly http: number; readonly grpc: number; readonly admin: number };
type LogLine = { readonly message: string; readonly facts?: Partial<Omit<Ports, 'http'>> };

/** How a gateway is started where not as a user does it. */
export type GatewayStart = {
  /** A module that its process loads first, as a file URL. */
  readonly preload?: URL;
  /** Milliseconds until it is given up. Default: 60,000; dozens of models on a busy machine take longer. */
  readonly withinMs?: number;
};

/** A gateway as a user starts it, in a process of its own. */
export class GatewayProcess {
  readonly #child: ChildProcess;
  /** Of REST. */
  readonly port: number;
  readonly grpcPort: number;
  readonly #adminPort: number;

  private constructor(child: ChildProcess, ports: Ports) {
    this.#child = child;
    this.port = ports.http;
    this.grpcPort = ports.grpc;
    this.#adminPort = ports.admin;
  }

  /** Resolves when it answers; rejects with what it said if it does not start. */
  static async start(
    configFile: string,
    { preload, withinMs = START_MS_MAX }: GatewayStart = {},
  ): Promise<GatewayProcess> {
    const first = preload === undefined ? [] : [`--import=${preload.href}`];
    const args = [...first, MAIN, 'serve', '--log-json', '-c', configFile];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'pipe'] });
    // However the bench ends, its gateways end with it.
    const endWithUs = (): boolean => child.kill('SIGKILL');
    process.once('exit', endWithUs);
    child.once('exit', () => process.off('exit', endWithUs));
    const tooLong = setTimeout(endWithUs, withinMs);
    try {
      return new GatewayProcess(child, await portsOf(child));
    } finally {
      clearTimeout(tooLong);
    }
  }

  /** Calls the admin API. Rejects unless it answers 200. */
  async admin(method: 'GET' | 'PUT', path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`http://127.0.0.1:${this.#adminPort}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text;
  }

  /** Calls the data plane's model control. Rejects unless it answers 200. */
  async control(model: string, verb: 'load' | 'unload'): Promise<void> {
    const url = `http://127.0.0.1:${this.port}/v2/repository/models/${model}/${verb}`;
    const answer = await fetch(url, { method: 'POST' });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${verb} ${model}: ${answer.status} ${text}`);
  }

  /** The processes that it has started and that run. */
  async childPids(): Promise<readonly number[]> {
    const { pid } = this.#child;
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  }

  /** Of its own process. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Lets it drain and end; kills it where that takes too long. */
  async close(): Promise<void> {
    if (!this.isRunning) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const tooLong = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS_MAX);
    await exited;
    clearTimeout(tooLong);
  }
}

/** Reads the log until it has the ports and the end of loading, and keeps reading so that the pipe never fills. */
function portsOf(child: ChildProcess): Promise<Ports> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    let ports: Ports | undefined;
    child.once('exit', (code) => {
      reject(new Error(`the gateway ended with ${code} before it answered: ${said.join('\n')}`));
    });
    if (child.stderr === null) throw new Error('the gateway has no standard error');
    createInterface(child.stderr).on('line', (line) => {
      said.splice(0, said.length - 20);
      said.push(line);
      if (!line.startsWith('{')) return;
      const entry = JSON.parse(line) as LogLine;
      ports ??= portsIn(entry);
      if (ports !== undefined && entry.message.startsWith('started after')) resolve(ports);
    });
  });
}

function portsIn({ message, facts }: LogLine): Ports | undefined {
  const port = /^answering at http:\/\/.*:(\d+)$/.exec(message)?.[1];
  const { grpc, admin } = facts ?? {};
  if (port === undefined || grpc === undefined || admin === undefined) return undefined;
  return { http: Number(port), grpc, admin };
}
