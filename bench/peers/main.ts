/**
 * `npm run bench:peers -- [peer ...] [--models tiny,fashion,stacked] [--rounds N] [--quick] [--install] [--no-proxies] [--out FILE]`:
 * starts each peer in turn on the same models, cores and load, prints a table for each model and keeps all as JSON. A peer
 * that cannot be installed is left out, with the reason; `--install` allows what is missing to be downloaded. `--quick` shows
 * in a minute or two that the drivers work; its figures mean nothing. `--report [--into PAGE]` measures nothing: it prints
 * what was kept as Markdown, or puts it into a page.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../../src/cli/table.ts';
import { programFolder, programVersion } from '../../src/config/program.ts';
import { systemClock } from '../../src/core/clock.ts';
import { messageOf } from '../../src/core/errors.ts';
import { Generator } from '../../src/load/engine/generator.ts';
import { type Machine, thisMachine } from '../machine.ts';
import { withReport } from '../report.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { benchedModel, MODEL_NAMES } from './benched-models.ts';
import { pinGenerator } from './cores.ts';
import { environmentOf } from './environment.ts';
import { type Bench, measureModel, type PeerEffort, type ReadyPeer } from './measure.ts';
import { CLOSED_CLIENTS, IN_FLIGHT_MAX } from './peer-load.ts';
import type { ModelFigures, PeersResult, ProxyFigures } from './peer-result.ts';
import { PEERS } from './peers.ts';
import { measureProxies } from './proxies.ts';
import { reasonOf } from './reason.ts';
import { proxyRows, reportOf, rowsOf } from './report.ts';
import { endServers } from './server-process.ts';

const WHOLE: PeerEffort = {
  rounds: 3,
  load: { warmupMs: 400, durationMs: 1_500 },
  trial: { warmupMs: 500, durationMs: 2_000 },
  confirmation: { warmupMs: 400, durationMs: 3_000 },
  whole: true,
};
const QUICK: PeerEffort = {
  rounds: 1,
  load: { warmupMs: 200, durationMs: 500 },
  trial: { warmupMs: 200, durationMs: 500 },
  confirmation: { warmupMs: 200, durationMs: 500 },
  whole: false,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    models: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    install: { type: 'boolean', default: false },
    proxies: { type: 'boolean', default: true },
    out: { type: 'string' },
    report: { type: 'boolean', default: false },
    into: { type: 'string' },
  },
});

/** A quick run's figures mean nothing, so they never take the place of real ones. */
const out =
  values.out ?? join(programFolder, 'var', `bench-peers${values.quick ? '-quick' : ''}.json`);

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void endServers().finally(() => process.exit(1)));

if (values.report) await report();
else await measure();

async function report(): Promise<void> {
  const text = reportOf(JSON.parse(await readFile(out, 'utf8')) as PeersResult);
  if (values.into === undefined) console.log(text);
  else await writeFile(values.into, withReport(await readFile(values.into, 'utf8'), text));
}

async function measure(): Promise<void> {
  const effort = effortOf();
  const chosen = chosenPeers(positionals);
  const models = values.models?.split(',') ?? (values.quick ? ['tiny'] : MODEL_NAMES);
  // Before this process is pinned, or it would see its own cores only.
  const machine = thisMachine();
  const cores = await pinGenerator();
  const place = await temporaryFolder(join(tmpdir(), 'understudy-peers-'));
  const folder = place.path;
  const generator = new Generator();
  try {
    const { ready, skipped } = await readyPeers(chosen);
    const bench: Bench = { generator, effort, folder, core: cores.server, print };
    const measured: ModelFigures[] = [];
    const kept = (proxies: readonly ProxyFigures[]): Promise<void> =>
      keep(resultOf({ machine, ready, skipped, measured, proxies, cores: cores.words, effort }));
    for (const name of models) {
      const figures = await measureModel(ready, await benchedModel(name, folder), bench);
      measured.push(figures);
      console.log(`\n${name}: ${figures.title}\n${formatTable(rowsOf(figures))}\n`);
      // What was found so far outlasts a run that is stopped.
      await kept([]);
    }
    const proxies = values.proxies ? await measureProxies(bench, values.install) : [];
    if (proxies.length > 0) console.log(`${formatTable(proxyRows(proxies))}\n`);
    await kept(proxies);
  } finally {
    generator.close();
    await place.remove();
  }
}

function effortOf(): PeerEffort {
  const effort = values.quick ? QUICK : WHOLE;
  if (values.rounds === undefined) return effort;
  const rounds = Number(values.rounds);
  if (Number.isInteger(rounds) && rounds > 0) return { ...effort, rounds };
  throw new Error(`--rounds: expected a whole number above 0, found ${values.rounds}`);
}

function chosenPeers(names: readonly string[]): typeof PEERS {
  if (names.length === 0) return PEERS;
  return names.map((name) => {
    const peer = PEERS.find((each) => each.name === name);
    if (peer !== undefined) return peer;
    const known = PEERS.map((each) => each.name).join(', ');
    throw new Error(`expected a peer (${known}), found '${name}'`);
  });
}

type Ready = {
  readonly ready: readonly ReadyPeer[];
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
};

async function readyPeers(chosen: typeof PEERS): Promise<Ready> {
  const ready: ReadyPeer[] = [];
  const skipped: { name: string; why: string }[] = [];
  for (const peer of chosen) {
    try {
      const packages = peer.package === undefined ? [] : [peer.package, 'onnxruntime'];
      const environment =
        peer.package === undefined
          ? undefined
          : await environmentOf(peer.name, packages, values.install);
      ready.push({ peer, environment });
    } catch (error) {
      skipped.push({ name: peer.name, why: reasonOf(error) });
      print(`${peer.name} is left out: ${messageOf(error)}`);
    }
  }
  return { ready, skipped };
}

type Parts = Ready & {
  readonly machine: Machine;
  readonly measured: readonly ModelFigures[];
  readonly proxies: readonly ProxyFigures[];
  readonly cores: string;
  readonly effort: PeerEffort;
};

function resultOf(parts: Parts): PeersResult {
  const { machine, ready, skipped, measured, proxies, cores, effort } = parts;
  return {
    takenAt: new Date(systemClock.wallMs()).toISOString(),
    machine,
    command: commandLine(),
    cores,
    peers: ready.map(({ peer: { name, how, source }, environment }) => {
      const versions = environment?.versions ?? [`${name} ${programVersion}`];
      return { name, versions, how, source };
    }),
    skipped,
    models: measured,
    proxies,
    conditions: {
      rounds: effort.rounds,
      loadMs: effort.load.durationMs,
      warmupMs: effort.load.warmupMs,
      closedLoopClients: CLOSED_CLIENTS,
      inFlightMax: IN_FLIGHT_MAX,
    },
  };
}

/** As it was typed, but for where the result goes. */
function commandLine(): string {
  const words = process.argv.slice(2).filter((word, at, all) => {
    return !word.startsWith('--out') && all[at - 1] !== '--out';
  });
  return ['npm run bench:peers', ...(words.length > 0 ? ['--', ...words] : [])].join(' ');
}

async function keep(result: PeersResult): Promise<void> {
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify(result, null, 2)}\n`);
  console.log(`kept as ${out}`);
}

function print(line: string): void {
  console.error(line);
}
