/**
 * A gateway that callers flood, beside a second one that nothing is done to. Both get the same load, each request on a connection
 * of its own; what the first loses beyond the second is the flood's doing.
 */
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { RunningGateway } from '../e2e/a-gateway.ts';
import { writeBuilds } from '../faults/models.ts';
import { SteadyLoad, type Tally } from '../faults/steady-load.ts';
import { anIdentityModel, aZerosModel } from '../support/a-model-file.ts';
import { until } from '../support/until.ts';
import type { FloodOrder } from './floods.ts';

/** Of a tap test: what is put here is done at the end. */
type Teardown = { readonly teardown: (work: () => unknown) => void };

export type ExamOptions = {
  readonly perSecond: number;
  readonly floodMs: number;
  readonly connectionsMax: number;
  /** How long the memory is watched afterwards: the engine finds out late what is no longer needed. */
  readonly afterMs: number;
};

export type Flood = Pick<FloodOrder, 'name' | 'connections'> & {
  /** Of the p99 of live requests to that of the control. */
  readonly ratioMax: number;
  /** The shadow host is stopped meanwhile. */
  readonly stopsShadow?: boolean;
};

export type Finding = {
  readonly flood: Flood;
  readonly tested: Tally;
  readonly control: Tally;
  /** Resident memory of the gateway itself in MiB: before, the most during the flood, and the least within some time after it. */
  readonly memory: { readonly before: number; readonly most: number; readonly after: number };
};

/** What requests and copies may hold. */
export const MEMORY_MAX_MIB = 256;
const MIRROR_MAX_MIB = 64;

export class FloodExam {
  readonly #options: ExamOptions;
  readonly #gateway: RunningGateway;
  readonly #loads: { readonly tested: SteadyLoad; readonly control: SteadyLoad };

  private constructor(
    options: ExamOptions,
    gateways: { readonly tested: RunningGateway; readonly control: RunningGateway },
  ) {
    const { perSecond } = options;
    this.#options = options;
    this.#gateway = gateways.tested;
    this.#loads = {
      tested: new SteadyLoad(gateways.tested.httpPort, perSecond, { keepAlive: false }),
      control: new SteadyLoad(gateways.control.httpPort, perSecond, { keepAlive: false }),
    };
  }

  /** Both gateways, under load. They end with the test. */
  static async start(t: Teardown, options: ExamOptions): Promise<FloodExam> {
    const { connectionsMax } = options;
    const [tested, control] = await Promise.all([
      aGateway(t, connectionsMax),
      aGateway(t, connectionsMax),
    ]);
    const exam = new FloodExam(options, { tested, control });
    for (const load of Object.values(exam.#loads)) {
      t.teardown(() => load.stop());
      load.start();
    }
    await pause(500);
    return exam;
  }

  /** Of the gateway that is flooded, at present. */
  residentMib(): number {
    return residentMib(this.#gateway.pid);
  }

  async run(flood: Flood): Promise<Finding> {
    const gateway = this.#gateway;
    const before = residentMib(gateway.pid);
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, residentMib(gateway.pid));
    }, 50);
    await this.#take();
    const shadows = flood.stopsShadow === true ? gateway.shadows() : [];
    for (const pid of shadows) process.kill(pid, 'SIGSTOP');
    const { name, connections } = flood;
    const { httpPort, grpcPort } = gateway;
    const flooder = new Worker(new URL('./floods.js', import.meta.url), {
      workerData: { name, connections, httpPort, grpcPort } satisfies FloodOrder,
    });
    await pause(this.#options.floodMs);
    const [tested, control] = await this.#take();
    await flooder.terminate();
    clearInterval(watch);
    for (const pid of shadows) process.kill(pid, 'SIGCONT');
    return { flood, tested, control, memory: { before, most, after: await this.#settled(most) } };
  }

  /** The memory once requests hold nothing more: the least that is seen, or what is soon well below the most. */
  async #settled(most: number): Promise<number> {
    await until('requests hold nothing', async () => (await this.#heldBytes()) < 1_048_576);
    let least = residentMib(this.#gateway.pid);
    const endMs = performance.now() + this.#options.afterMs;
    while (performance.now() < endMs) {
      least = Math.min(least, residentMib(this.#gateway.pid));
      if (least < most - MEMORY_MAX_MIB / 2) break;
      await pause(250);
    }
    return least;
  }

  async #heldBytes(): Promise<number> {
    const text = await (await fetch(`${this.#gateway.adminUrl}/metrics`)).text();
    const held = text.matchAll(/^understudy_held_bytes\{.*\} (\d+)$/gm);
    return [...held].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  }

  #take(): Promise<[Tally, Tally]> {
    return Promise.all([this.#loads.tested.take(), this.#loads.control.take()]);
  }
}

/** Of the process itself, without those of its models. */
function residentMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1_024;
}

async function aGateway(t: Teardown, connectionsMax: number): Promise<RunningGateway> {
  const root = await mkdtemp(join(tmpdir(), 'understudy-floods-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const models = join(root, 'models');
  await writeBuilds(models, 'fashion');
  const others = { 'echo/1': anIdentityModel('FP32'), 'echo/2': anIdentityModel('FP32') };
  for (const [name, bytes] of Object.entries({ ...others, 'large/1': aZerosModel() })) {
    await mkdir(join(models, name), { recursive: true });
    await writeFile(join(models, name, 'model.onnx'), bytes);
  }
  const config = join(root, 'understudy.yaml');
  await writeFile(
    config,
    `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0, connectionsMax: ${connectionsMax} }
repository: ./models
ledger: ./ledger
limits: { memoryMax: ${MEMORY_MAX_MIB}MiB, mirrorMax: ${MIRROR_MAX_MIB}MiB }
models:
  fashion:
    instances: { replicas: 1, intraOpThreads: 1 }
    queue: { deadlineMs: 5000 }
    versions: ["1"]
    route: { stable: "1" }
  echo:
    instances: { replicas: 1, intraOpThreads: 1 }
    batch: off
    queue: { deadlineMs: 5000 }
    route: { stable: "1", mirror: [{ version: "2", percentage: 100 }] }
  large:
    instances: { replicas: 1, intraOpThreads: 1 }
    batch: off
    queue: { deadlineMs: 20000 }
    route: { stable: "1" }
`,
  );
  return RunningGateway.start(t, { root, config, ledger: join(root, 'ledger') });
}
