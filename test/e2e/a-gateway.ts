import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrafficProcess } from '../../src/demo/traffic-process.ts';
import type { RolloutStatus } from '../../src/rollout/status.ts';
import { COMMAND } from '../support/command.ts';
import { projectRoot } from '../support/project-root.ts';
import { until } from '../support/until.ts';
import { childrenOf, hostLabelOf } from './processes.ts';

/** Of a tap test: what is put here is done when the test has ended, however it ended. */
type Teardown = { readonly teardown: (work: () => unknown) => void };

export type Place = { readonly root: string; readonly config: string; readonly ledger: string };

/** Long enough for a host that is started again on a busy machine: what waits for it is answered, not timed out. */
const DEADLINE_MS = 20_000;

/** A folder with versions of the fashion model, a configuration (stable is 1, ports are free ones) and room for a ledger. */
export async function aPlace(
  t: Teardown,
  versions: readonly string[],
  { labelWindow = '1s' }: { readonly labelWindow?: string } = {},
): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), 'understudy-e2e-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  for (const version of versions) {
    const folder = join('fashion', version);
    await cp(join(projectRoot, 'models', folder), join(root, 'models', folder), {
      recursive: true,
    });
  }
  const config = join(root, 'understudy.yaml');
  await writeFile(
    config,
    `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0 }
repository: ./models
ledger: ./ledger
models:
  fashion:
    attributes: { tone: header:x-tone, garment: header:x-garment }
    queue: { deadlineMs: ${DEADLINE_MS} }
    labels: { window: ${labelWindow}, selection: random }
    route: { stable: "1" }
`,
  );
  return { root, config, ledger: join(root, 'ledger') };
}

export type GatewayEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** `understudy serve` as a process of its own, in a process group of its own. */
export class RunningGateway {
  readonly #child: ChildProcess;
  readonly ended: Promise<GatewayEnd>;
  log = '';
  httpPort = 0;
  grpcPort = 0;
  adminUrl = '';

  private constructor(place: Place, options: readonly string[]) {
    this.#child = spawn(
      process.execPath,
      [COMMAND, 'serve', '--log-json', '-c', place.config, ...options],
      {
        detached: true,
        stdio: ['ignore', 'inherit', 'pipe'],
      },
    );
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.log += text;
    });
    this.ended = once(this.#child, 'close').then(([code, signal]) => ({ code, signal }));
  }

  /** Only begun. It is killed, with all of its children, when the test has ended. */
  static spawn(t: Teardown, place: Place, options: readonly string[] = []): RunningGateway {
    const gateway = new RunningGateway(place, options);
    t.teardown(() => gateway.killGroup());
    return gateway;
  }

  /** Resolves when its models are loaded. It is killed, with all of its children, when the test has ended. */
  static async start(
    t: Teardown,
    place: Place,
    options: readonly string[] = [],
  ): Promise<RunningGateway> {
    const gateway = await RunningGateway.open(t, place, options);
    await until('its models are loaded', () => /"started after/.test(gateway.log));
    return gateway;
  }

  /** Resolves when its ports are open: its models may still be loading. It is killed as one that was started. */
  static async open(
    t: Teardown,
    place: Place,
    options: readonly string[] = [],
  ): Promise<RunningGateway> {
    const gateway = RunningGateway.spawn(t, place, options);
    const news = await until('the gateway answers', () => {
      if (gateway.#child.exitCode !== null) throw new Error(`it ended:\n${gateway.log}`);
      return gateway.entries().find(({ message }) => message.startsWith('answering at'));
    });
    gateway.httpPort = Number(news.message.slice(news.message.lastIndexOf(':') + 1));
    gateway.grpcPort = Number(news.facts?.['grpc']);
    gateway.adminUrl = `http://127.0.0.1:${news.facts?.['admin']}`;
    return gateway;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  entries(): readonly { message: string; facts?: Record<string, unknown> }[] {
    const whole = this.log.slice(0, this.log.lastIndexOf('\n') + 1);
    return whole.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** As a terminal does with ctrl-C: the signal reaches the gateway and all of its children. */
  signalGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal);
  }

  killGroup(): void {
    try {
      this.signalGroup('SIGKILL');
    } catch {
      // It has ended already.
    }
  }

  /** The processes of its hosts; not those of shadow hosts, which have a lower priority. */
  hosts(): readonly number[] {
    return childrenOf(this.pid).flatMap(({ pid, nice }) =>
      nice === 0 && hostLabelOf(pid) !== undefined ? [pid] : [],
    );
  }

  shadows(): readonly number[] {
    return childrenOf(this.pid).flatMap(({ pid, nice }) => (nice > 0 ? [pid] : []));
  }

  async status(): Promise<RolloutStatus> {
    const answer = await fetch(`${this.adminUrl}/api/v1/models/fashion/rollout`);
    return (await answer.json()) as RolloutStatus;
  }

  /** The value of a metric without labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.adminUrl}/metrics`)).text();
    return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
  }
}

export type TrafficSetting = { readonly perSecond: number; readonly seed: number };

/** Test images as live requests from a process of its own, labelled a little later. */
export async function liveTraffic(
  t: Teardown,
  gateway: RunningGateway,
  { perSecond, seed }: TrafficSetting,
): Promise<TrafficProcess> {
  const traffic = new TrafficProcess({
    port: gateway.httpPort,
    model: 'fashion',
    imagesFolder: join(projectRoot, 'models', '_fashion-mnist'),
    perSecond,
    durationMs: 100_000,
    deadlineMs: DEADLINE_MS,
    seed,
    labelDelayMs: 100,
  });
  t.teardown(() => traffic.stop().catch(() => undefined));
  await traffic.started();
  return traffic;
}
