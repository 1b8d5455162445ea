import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { createRolloutDeployer } from '../../src/app/rollout-deployer.ts';
import { loadConfig } from '../../src/config/load.ts';
import { RunningConfig } from '../../src/config/running-config.ts';
import type { Config } from '../../src/config/schema.ts';
import { systemClock } from '../../src/core/clock.ts';
import { ServeError } from '../../src/core/errors.ts';
import { NO_EVIDENCE } from '../../src/core/evidence.ts';
import type { LogEntry } from '../../src/core/log.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { VersionState } from '../../src/core/version.ts';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import { createRouteTable, type RouteTable } from '../../src/gateway/route-table.ts';
import type { Host } from '../../src/host/host.ts';
import { MemoryLedger } from '../../src/ledger/memory.ts';
import { Catalog } from '../../src/models/catalog.ts';
import type { Deployer } from '../../src/models/deployer.ts';
import type { Deployment } from '../../src/models/deployment.ts';
import { Deployments } from '../../src/models/deployments.ts';
import { firstChoices } from '../../src/models/first-choices.ts';
import { ModelControl } from '../../src/models/model-control.ts';
import { OverrideFiles } from '../../src/models/override-files.ts';
import { listModels } from '../../src/models/read-catalog.ts';
import { Start } from '../../src/models/start.ts';
import { StartingModels } from '../../src/models/starting-models.ts';
import { foldersIn } from '../../src/repository/folders.ts';
import type { RepositoryReader } from '../../src/repository/readers.ts';
import { scanModel } from '../../src/repository/scan.ts';
import { Controller } from '../../src/rollout/controller.ts';
import { decideByLabel } from '../rollout/builders.ts';

type Teardown = { readonly teardown: (work: () => unknown) => void };

/** A repository, by path in it: what each file holds. */
export async function aRepository(
  t: Teardown,
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'understudy-repository-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) await put(root, path, content);
  return root;
}

/** Writes a file into a repository. */
export async function put(root: string, path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

/** What the hosts of a test did, in order, and what starting one is to wait for or to fail with. */
export class HostDiary {
  readonly started: string[] = [];
  readonly closed: string[] = [];
  /** By model and version, such as `m 1`. */
  readonly faults = new Map<string, string>();
  /** Starting waits for it. */
  gate: Promise<unknown> = Promise.resolve();
  /** Starts that were asked for, by model and version, in order. */
  readonly asked: string[] = [];
  /** By model and version, as in `fashion 2`: its start waits for this too. */
  readonly gates = new Map<string, Promise<unknown>>();
  /** Of every shadow host. */
  shadowState: VersionState = { kind: 'ready' };

  /** The host answers with the number of its start as the batch's id, and refuses once it is closed. */
  readonly deployer: Pick<Deployer, 'startHost' | 'startShadowHost'> = {
    startHost: async ({ target, entry }: Deployment): Promise<Host> => {
      await this.gate;
      const name = `${target.model} ${target.version}`;
      this.asked.push(name);
      await this.gates.get(name);
      const fault = this.faults.get(name);
      const found = entry?.packages.get(target.version);
      if (fault !== undefined || found === undefined) {
        throw new ServeError('version_not_ready', fault ?? 'not there');
      }
      const number = this.started.push(`${name} ${entry?.settings.batch.rowsMax}`);
      let [inFlight, isOpen] = [0, true];
      return {
        target,
        signature: found.signature,
        form: () => found.signature,
        provider: () => ({ requested: ['cpu'], actual: 'cpu', fallbackReason: undefined }),
        joining: () => ({ kind: 'declared', doubt: undefined }),
        state: () => ({ kind: isOpen ? 'ready' : 'unloaded' }),
        inFlight: () => inFlight,
        become: () => undefined,
        pid: () => undefined,
        infer: async (request) => {
          if (!isOpen) throw new ServeError('version_not_ready', 'closed');
          inFlight += 1;
          await turn();
          inFlight -= 1;
          const timing = { queueMs: 1, computeMs: 2 };
          const [input] = request.inputs;
          const outputs = input === undefined ? [] : [{ ...input, name: 'y' }];
          return { ...target, outputs, timing, batch: { id: number, rows: 1 } };
        },
        close: async () => {
          isOpen = false;
          while (inFlight > 0) await turn();
          this.closed.push(`${name} of start ${number}`);
        },
      };
    },
    startShadowHost: async () => {
      await this.gate;
      return {
        run: () => Promise.reject(new Error('not asked for here')),
        waiting: () => 0,
        backlogBytes: () => 0,
        state: () => this.shadowState,
        pid: () => undefined,
        close: async () => {},
      };
    },
  };
}

export type ControlParts = {
  /** That section of the file. */
  readonly models?: string;
  readonly modelControl?: 'none' | 'explicit';
  readonly readiness?: 'routed' | 'strict';
  /** As the diary has them, from the start. */
  readonly faults?: Readonly<Record<string, string>>;
  /** Loading waits for it, and the world comes while its models still start. */
  readonly gate?: Promise<unknown>;
};

export type Control = {
  readonly config: RunningConfig;
  /** As it was read at the start. */
  readonly loaded: Config;
  /** The configuration's path. */
  readonly file: string;
  readonly ledger: MemoryLedger;
  readonly deployments: Deployments;
  readonly control: ModelControl;
  readonly catalog: Catalog;
  readonly controller: Controller;
  readonly gateway: Gateway;
  readonly routes: RouteTable;
  readonly starting: StartingModels;
  /** Resolves when every model has been taken up. */
  readonly started: Promise<void>;
  readonly hosts: HostDiary;
  readonly log: LogEntry[];
  /** Where packages that callers bring along are put. */
  readonly brought: string;
};

/** Reads in this process: of what a test reads nothing hangs. */
export const READERS: RepositoryReader = {
  read: ({ root, model, named, known = [], config }) =>
    scanModel(root, model, {
      ...{ named: () => named, config },
      known: ({ version }) => known.find((each) => each.version === version),
    }),
  list: foldersIn,
};

/** Model control over a repository, as the app makes it, with hosts that only pretend. */
export async function aControl(
  t: Teardown,
  repository: string,
  {
    models = '{}',
    modelControl = 'explicit',
    readiness = 'routed',
    faults = {},
    gate,
  }: ControlParts = {},
): Promise<Control> {
  const file = join(repository, '_understudy.yaml');
  await writeFile(
    file,
    `apiVersion: understudy/v1\nserver: { modelControl: ${modelControl}, readiness: ${readiness} }\nmodels: ${models}\nrepository: .\n`,
  );
  const loaded = await loadConfig(file);
  const config = new RunningConfig(loaded);
  const log: LogEntry[] = [];
  const record = (entry: LogEntry): void => void log.push(entry);
  const onInternalError = (operation: string, error: unknown): void =>
    record({ level: 'error', message: `${operation}: ${String(error)}` });
  const catalog = new Catalog(config, []);
  const routes = createRouteTable([]);
  const starting = new StartingModels();
  const hosts = new HostDiary();
  for (const [name, fault] of Object.entries(faults)) hosts.faults.set(name, fault);
  if (gate !== undefined) hosts.gate = gate;
  const deployments = new Deployments({ catalog, deployer: hosts.deployer, onInternalError });
  const gateway = createGateway({
    clock: systemClock,
    routes,
    hosts: deployments,
    starting,
    readiness: config.server.readiness,
    taps: [],
    limits: { inFlightMax: 1_000, armInFlightMax: 1_000, rowsMax: () => 100 },
    onInternalError,
  });
  const ledger = new MemoryLedger(systemClock);
  const controller = new Controller({
    ledger,
    clock: systemClock,
    random: seededRandom(1),
    routes,
    deployer: {
      ...createRolloutDeployer({
        ...{ routes, deployments },
        observers: { open: () => undefined, close: () => undefined },
      }),
      // What a trial needs is loaded immediately.
      prepare: async () => {},
      isPrepared: () => true,
    },
    decide: decideByLabel,
    evidence: () => NO_EVIDENCE,
    digestOf: (model, version) => catalog.find({ model, version })?.digest,
    whyNotComparable: () => undefined,
    ...firstChoices({ config, catalog, log: record }),
    whyStarting: starting.whyStarting,
    tickMs: 1_000,
    onInternalError,
  });
  await controller.load();
  const start = new Start(await listModels(config, record), {
    ...{ config, catalog, routes, controller, starting, clock: systemClock, log: record },
    openReader: () => ({
      read: READERS.read,
      close: () => undefined,
    }),
    ledgerLifetime: async () => 'unknown',
    isReady: (model) => routes.read(model) !== undefined,
    onInternalError,
  });
  // That it has started is no news to a test.
  const started = start.run().then(() => void log.pop());
  if (gate === undefined) await started;
  const brought = join(repository, '_brought');
  await mkdir(brought, { recursive: true });
  const overrides = new OverrideFiles(brought);
  const control = new ModelControl({
    ...{
      config,
      catalog,
      routes,
      deployments,
      controller,
      overrides,
      readers: READERS,
      retainStatistics: () => undefined,
      starting,
      log: record,
    },
  });
  t.teardown(() => overrides.close());
  const parts = {
    deployments,
    config,
    loaded,
    file,
    ledger,
    brought,
    control,
    catalog,
    controller,
  };
  return { ...parts, gateway, routes, hosts, starting, started, log };
}
