/**
 * A gateway with a version on trial that goes wrong, beside a second gateway that nothing is done to. Both get the same load, and
 * what the first loses beyond the second is the fault's doing.
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { RolloutStatus } from '../../src/rollout/status.ts';
import { RunningGateway } from '../e2e/a-gateway.ts';
import { hostLabelOf, residentMiB } from '../e2e/processes.ts';
import { GRPC_FLOODS } from '../support/floods.ts';
import { until } from '../support/until.ts';
import { type Fault, type Role, requestFor } from './faults.ts';
import { SLOW, writeBuilds } from './models.ts';
import { SteadyLoad, type Tally } from './steady-load.ts';

/** Of a tap test: what is put here is done at the end. */
type Teardown = { readonly teardown: (work: () => unknown) => void };

export type ExamOptions = {
  readonly perSecond: number;
  readonly deadlineMs: number;
  /** How long a fault lasts once it shows. */
  readonly faultMs: number;
};

export type Finding = {
  readonly fault: Fault;
  readonly tested: Tally;
  readonly control: Tally;
  /** Requests that stable answered in the place of the arm, by the code of the arm's failure. */
  readonly fallbacks: Readonly<Record<string, number>>;
  /** How the trial ended, or what it was in before it was taken back. */
  readonly end: string;
};

export type Flooded = {
  readonly name: string;
  readonly tested: Tally;
  readonly control: Tally;
  /** By how much the gateway's own process has grown meanwhile. */
  readonly grownMiB: number;
};

const FLOOD_THREAD = new URL('./flood-thread.js', import.meta.url);

/** Between two kills: a process is up again after some hundred milliseconds. */
const KILL_EVERY_MS = 300;

const ROLLOUT = '/api/v1/models/fashion/rollout';

export class FaultExam {
  readonly #options: ExamOptions;
  readonly gateway: RunningGateway;
  readonly #loads: { readonly tested: SteadyLoad; readonly control: SteadyLoad };

  private constructor(
    options: ExamOptions,
    gateways: { readonly tested: RunningGateway; readonly control: RunningGateway },
  ) {
    this.#options = options;
    this.gateway = gateways.tested;
    this.#loads = {
      tested: new SteadyLoad(gateways.tested.httpPort, options.perSecond),
      control: new SteadyLoad(gateways.control.httpPort, options.perSecond),
    };
  }

  /** Both gateways, under load. They end with the test. */
  static async start(t: Teardown, options: ExamOptions): Promise<FaultExam> {
    const [tested, control] = await Promise.all([
      aGateway(t, options.deadlineMs),
      aGateway(t, options.deadlineMs),
    ]);
    const exam = new FaultExam(options, { tested, control });
    for (const load of Object.values(exam.#loads)) {
      t.teardown(() => load.stop());
      load.start();
    }
    return exam;
  }

  /** One trial, from its start to its end, and what it cost. */
  async run(fault: Fault): Promise<Finding> {
    await this.#take();
    const { role } = fault;
    const before = await this.#fallbacks(role);
    const since = async () => minus(await this.#fallbacks(role), before);
    const stop = (await this.begin(fault))();
    await pause(this.#options.faultMs);
    if (role !== 'shadow')
      await until('stable stands in', async () => isSign(fault, await since()) || this.#isOver());
    stop();
    const end = await this.end();
    const [tested, control] = await this.#take();
    return { fault, tested, control, fallbacks: await since(), end };
  }

  /** Resolves once the version on trial is asked, with what does the fault and returns what ends that. */
  async begin(fault: Fault): Promise<() => () => void> {
    await this.#command('', requestFor(fault));
    await this.#awaitRole(fault.role);
    await until('it is asked', () => this.#isAsked(fault));
    return () => this.#inflict(fault);
  }

  /** A flood of one connection after another, and what it cost those that behave. */
  async flood(name: string): Promise<Flooded> {
    await this.#take();
    const beforeMiB = residentMiB(this.gateway.pid);
    const { httpPort, grpcPort } = this.gateway;
    const port = name in GRPC_FLOODS ? grpcPort : httpPort;
    const thread = new Worker(FLOOD_THREAD, { workerData: { name, port } });
    await once(thread, 'message');
    await pause(this.#options.faultMs);
    const grownMiB = residentMiB(this.gateway.pid) - beforeMiB;
    await thread.terminate();
    const [tested, control] = await this.#take();
    return { name, tested, control, grownMiB };
  }

  #take(): Promise<[Tally, Tally]> {
    return Promise.all([this.#loads.tested.take(), this.#loads.control.take()]);
  }

  /** Resolves once the processes of that role are at work, and bear its name. */
  async #awaitRole(role: Role): Promise<void> {
    await until('all are at work', () => {
      const areThere = role === 'shadow' || this.gateway.hosts().length === 3;
      return areThere && this.#processesOf(role).length > 0;
    });
  }

  #processesOf(role: Role): readonly number[] {
    const all = [...this.gateway.hosts(), ...this.gateway.shadows()];
    return all.filter((each) => hostLabelOf(each)?.endsWith(` ${role}`));
  }

  async #isAsked({ role, does }: Fault): Promise<boolean> {
    const { mirror, candidateRequests } = await this.#status();
    if (does === 'none') return true;
    return role === 'shadow' ? mirror.compared > 0 : candidateRequests > 0;
  }

  /** Returns what ends it. */
  #inflict({ role, does }: Fault): () => void {
    const stopped = new Set<number>();
    const act = (): void => {
      for (const pid of this.#processesOf(role)) {
        if (does === 'stop') stopped.add(pid);
        if (does !== 'none') send(pid, does === 'kill' ? 'SIGKILL' : 'SIGSTOP');
      }
    };
    act();
    const timer = does === 'kill' ? setInterval(act, KILL_EVERY_MS) : undefined;
    return () => {
      clearInterval(timer);
      for (const pid of stopped) send(pid, 'SIGCONT');
    };
  }

  /** Aborts the trial if it is still running; resolves once its processes have exited, with how it ended. */
  async end(): Promise<string> {
    const { phase, decidedBy, endedMs } = await this.#status();
    if (endedMs === undefined) await this.#command('/abort', { reason: 'the exam continues' });
    await until('the trial is over', async () => (await this.#status()).endedMs !== undefined);
    const { gateway } = this;
    await until(
      'its processes are gone',
      () => gateway.hosts().length + gateway.shadows().length === 1,
    );
    return endedMs === undefined ? phase : `${phase} (${decidedBy.join(', ')})`;
  }

  /** One that keeps dying may end its trial before a request meets it. */
  async #isOver(): Promise<boolean> {
    return (await this.#status()).endedMs !== undefined;
  }

  async #status(): Promise<RolloutStatus> {
    return this.gateway.status();
  }

  async #command(path: string, body: object): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const url = `${this.gateway.adminUrl}${ROLLOUT}${path}`;
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    // One that ends by itself at this very moment leaves nothing to take back.
    if (!answer.ok && path === '') throw new Error(await answer.text());
  }

  /** By code. */
  async #fallbacks(role: Role): Promise<Readonly<Record<string, number>>> {
    const text = await (await fetch(`${this.gateway.adminUrl}/metrics`)).text();
    const lines = text.matchAll(/^understudy_fallbacks_total\{(.*)\} (\d+)$/gm);
    const found: Record<string, number> = {};
    for (const [, labels = '', count] of lines) {
      const code = /code="(\w+)"/.exec(labels)?.[1] ?? '';
      if (labels.includes(`role="${role}"`)) found[code] = (found[code] ?? 0) + Number(count);
    }
    return found;
  }
}

/** Whether the fault has been felt by now: one that hangs, so long that it is asked no more. */
function isSign({ candidate, does }: Fault, fallbacks: Finding['fallbacks']): boolean {
  const hangs = does === 'stop' || candidate === SLOW;
  return hangs ? 'version_not_ready' in fallbacks : Object.keys(fallbacks).length > 0;
}

async function aGateway(t: Teardown, deadlineMs: number): Promise<RunningGateway> {
  const root = await mkdtemp(join(tmpdir(), 'understudy-faults-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  await writeBuilds(join(root, 'models'), 'fashion');
  const config = join(root, 'understudy.yaml');
  await writeFile(
    config,
    `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0 }
repository: ./models
ledger: ./ledger
models:
  fashion:
    instances: { replicas: 1, intraOpThreads: 1 }
    queue: { deadlineMs: ${deadlineMs} }
    versions: ["1"]
    route: { stable: "1" }
`,
  );
  return RunningGateway.start(t, { root, config, ledger: join(root, 'ledger') });
}

function minus(
  after: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const grown = Object.entries(after).map(
    ([code, count]) => [code, count - (before[code] ?? 0)] as const,
  );
  return Object.fromEntries(grown.filter(([, count]) => count > 0));
}

/** The process may have ended by itself. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has.
  }
}
