import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { programVersion } from '../../src/config/program.ts';
import { messageOf } from '../../src/core/errors.ts';
import { interleave } from '../blocks.ts';
import { type BenchedModel, benchedModel } from './benched-models.ts';
import { envoy } from './envoy.ts';
import type { Bench } from './measure.ts';
import { nginx } from './nginx.ts';
import { type Call, type Command, MODEL } from './peer.ts';
import { closedRate, type Loaded, openLoad } from './peer-load.ts';
import type { ProxyFigures, ProxyRound } from './peer-result.ts';
import { type FoundProxy, MODES, type Mode } from './proxy.ts';
import { reasonOf } from './reason.ts';
import { freePort, ServerProcess } from './server-process.ts';
import { gatewayCommand } from './understudy.ts';

const PROXIES = [nginx, envoy];
const CALL: Call = { kind: 'rest-binary', model: MODEL };
/** Of the closed-loop rate of the plain way: low enough that a copy of everything is still borne. */
const LOAD = 0.3;
/** For the copies that are still under way when the last live answer has come. */
const SETTLE_MS = 1_000;

/**
 * What splitting and mirroring cost: in one gateway with two versions, and in a proxy in front of two gateways with one
 * each. All versions are the same model, and all that serves runs on the server's core.
 */
export async function measureProxies(
  bench: Bench,
  mayInstall: boolean,
): Promise<readonly ProxyFigures[]> {
  const model = await benchedModel('fashion', bench.folder);
  const own: Contender = {
    name: 'understudy',
    find: async () => ({ versions: [programVersion], start: () => startOwn(model, bench) }),
  };
  const others = PROXIES.map(
    (proxy): Contender => ({
      name: proxy.name,
      find: async () => {
        const { versions, command } = await proxy.find(mayInstall);
        return { versions, start: () => startBehind(command, model, bench) };
      },
    }),
  );
  const found: ProxyFigures[] = [];
  for (const contender of [own, ...others]) found.push(await figuresOf(contender, bench));
  return found;
}

/** Something that splits and mirrors, once it is started. */
type Contender = {
  readonly name: string;
  readonly find: () => Promise<{
    readonly versions: readonly string[];
    readonly start: () => Promise<Way>;
  }>;
};

type Way = {
  /** Has it work in a mode, and says where requests go then. */
  readonly toMode: (mode: Mode) => Promise<Loaded>;
  /** Copies of live requests that were answered, since the start. */
  readonly copies: () => Promise<number>;
  readonly stop: () => Promise<void>;
};

async function figuresOf({ name, find }: Contender, bench: Bench): Promise<ProxyFigures> {
  let versions: readonly string[] = [];
  try {
    const found = await find();
    versions = found.versions;
    const way = await found.start();
    try {
      return { name, versions, rounds: await roundsOf(name, way, bench) };
    } finally {
      await way.stop();
    }
  } catch (error) {
    bench.print(`${name} is left out: ${messageOf(error)}`);
    return { name, versions, rounds: [], failed: reasonOf(error) };
  }
}

/** `copied`: copies that were answered, of all requests of the open loop. */
type Block = {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly copied: number;
};

async function roundsOf(name: string, way: Way, bench: Bench): Promise<readonly ProxyRound[]> {
  const { trial, load, rounds } = bench.effort;
  const closed = await closedRate(await way.toMode('plain'), trial);
  const blocks = await interleave(MODES, rounds, async (mode, round): Promise<Block> => {
    const loaded = { ...(await way.toMode(mode)), seed: round + 1 };
    const perSecond = await closedRate(loaded, trial);
    await sleep(SETTLE_MS);
    const before = await way.copies();
    const { measured, warmup } = await openLoad(loaded, closed * LOAD, load);
    if (measured.ok < measured.offered) throw new Error(JSON.stringify(measured.errors));
    await sleep(SETTLE_MS);
    const copied = ((await way.copies()) - before) / (measured.offered + (warmup?.offered ?? 0));
    const { p50Ms, p99Ms } = measured.latency;
    bench.print(
      `${name} ${mode}: ${perSecond.toFixed(0)} per second, p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, copied ${copied.toFixed(2)}`,
    );
    return { perSecond, p50Ms, p99Ms, copied };
  });
  return blocks.plain.flatMap((plain, round) => {
    const [split, mirror] = [blocks.split[round], blocks.mirror[round]];
    return split && mirror ? [roundOf(plain, split, mirror)] : [];
  });
}

function roundOf(plain: Block, split: Block, mirror: Block): ProxyRound {
  return {
    plainPerSecond: plain.perSecond,
    plainP50Ms: plain.p50Ms,
    plainP99Ms: plain.p99Ms,
    splitP50: split.p50Ms / plain.p50Ms,
    splitP99: split.p99Ms / plain.p99Ms,
    splitThroughput: split.perSecond / plain.perSecond,
    mirrorP50: mirror.p50Ms / plain.p50Ms,
    mirrorP99: mirror.p99Ms / plain.p99Ms,
    mirrorThroughput: mirror.perSecond / plain.perSecond,
    mirrorCopied: mirror.copied,
  };
}

const VERSIONS = ['1', '2'] as const;

/** One gateway with both versions; its route is changed through the admin API. */
async function startOwn(model: BenchedModel, bench: Bench): Promise<Way> {
  const ports = { httpPort: await freePort(), grpcPort: await freePort() };
  const adminPort = await freePort();
  const folder = join(bench.folder, 'own');
  const { file } = model;
  await rm(folder, { recursive: true, force: true });
  const command = await gatewayCommand({ folder, file, versions: VERSIONS, ...ports, adminPort });
  const server = await start({ command, folder, port: ports.httpPort }, model, bench);
  const loaded = { generator: bench.generator, call: CALL, ports, model, seed: 1 };
  return {
    toMode: async (mode) => {
      await setRoute(adminPort, mode);
      return loaded;
    },
    copies: async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
      return copiesIn(metrics);
    },
    stop: () => server.stop(),
  };
}

/** Copies that the shadow host has run, of a gateway's metrics. */
export function copiesIn(metrics: string): number {
  const lines = metrics.matchAll(/^understudy_mirror_requests_total\{(.*)\} (\d+)$/gm);
  let copies = 0;
  for (const [, labels = '', count] of lines) {
    if (labels.includes('result="compared"')) copies += Number(count);
  }
  return copies;
}

/** The shadow host of the mirror stays loaded in every mode, as the second gateway behind a proxy does. */
async function setRoute(adminPort: number, mode: Mode): Promise<void> {
  const url = `http://127.0.0.1:${adminPort}/api/v1/models/${MODEL}/route`;
  const { revision } = (await (await fetch(url)).json()) as { readonly revision: number };
  const [stable, other] = VERSIONS;
  const half = { [stable]: 50, [other]: 50 };
  const answer = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      revision,
      stable,
      split: mode === 'split' ? half : { [stable]: 100 },
      mirror: { version: other, percentage: mode === 'mirror' ? 100 : 0, twin: 0 },
    }),
  });
  if (answer.status !== 200) throw new Error(`the route was refused: ${await answer.text()}`);
}

/** Two gateways of one version each, and the proxy in front of them with a port for each mode. */
async function startBehind(
  write: FoundProxy['command'],
  model: BenchedModel,
  bench: Bench,
): Promise<Way> {
  const running: ServerProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const server of running.reverse()) await server.stop();
  };
  const gateway = async (name: string): Promise<number> => {
    const ports = { httpPort: await freePort(), grpcPort: await freePort() };
    const folder = join(bench.folder, name);
    await rm(folder, { recursive: true, force: true });
    const { file } = model;
    const command = await gatewayCommand({ folder, file, versions: ['1'], ...ports });
    running.push(await start({ command, folder, port: ports.httpPort }, model, bench));
    return ports.httpPort;
  };
  try {
    const [live, other] = [await gateway('live'), await gateway('other')];
    const [plain, split, mirror] = [await freePort(), await freePort(), await freePort()];
    const ports = { live, other, plain, split, mirror };
    const folder = join(bench.folder, 'proxy');
    await rm(folder, { recursive: true, force: true });
    running.push(
      await start({ command: await write(folder, ports), folder, port: plain }, model, bench),
    );
    return {
      toMode: async (mode) => ({
        generator: bench.generator,
        call: CALL,
        ports: { httpPort: ports[mode], grpcPort: 0 },
        model,
        seed: 1,
      }),
      // In the mode `mirror` nothing but copies reaches the other gateway.
      copies: () => answeredBy(other),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Requests that a gateway has answered, as its own statistics have it. */
async function answeredBy(port: number): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/v2/models/${MODEL}/stats`);
  const { model_stats: stats } = (await answer.json()) as Statistics;
  return stats.reduce((sum, { inference_stats }) => sum + Number(inference_stats.success.count), 0);
}

type Statistics = {
  readonly model_stats: readonly {
    readonly inference_stats: { readonly success: { readonly count: number | string } };
  }[];
};

type Started = { readonly command: Command; readonly folder: string; readonly port: number };

function start({ command, folder, port }: Started, model: BenchedModel, bench: Bench) {
  const ports = { httpPort: port, grpcPort: 0 };
  return ServerProcess.start({ command, call: CALL, ports, model, folder, core: bench.core });
}
