import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../src/core/errors.ts';
import type { Generator } from '../../src/load/engine/generator.ts';
import { interleave } from '../blocks.ts';
import type { BenchedModel } from './benched-models.ts';
import type { Environment } from './environment.ts';
import { highestRate } from './highest-rate.ts';
import type { Form, Peer } from './peer.ts';
import { closedRate, isGood, type Loaded, type LoadTime, openLoad } from './peer-load.ts';
import type { ModelFigures, PeerFigures, RateFigures, Round, Trial } from './peer-result.ts';
import { reasonOf } from './reason.ts';
import { freePort, ServerProcess } from './server-process.ts';

/** Of the least closed-loop rate of all peers: what all of them are loaded with alike. */
const COMMON_SHARE = 0.25;
/** Of its closed-loop rate: where the search for a peer's highest rate starts. */
const SEARCH_FROM = 0.6;

export type PeerEffort = {
  readonly rounds: number;
  readonly load: LoadTime;
  /** A closed loop, to choose a form; and the confirmation of the highest rate. */
  readonly trial: LoadTime;
  readonly confirmation: LoadTime;
  /** False: only the first form of each peer is tried, and nothing is searched. */
  readonly whole: boolean;
};

/** A peer that can be started. */
export type ReadyPeer = { readonly peer: Peer; readonly environment: Environment | undefined };

/** What a measurement runs with. */
export type Bench = {
  readonly generator: Generator;
  readonly effort: PeerEffort;
  readonly folder: string;
  readonly core: number | undefined;
  readonly print: (line: string) => void;
};

/** All peers with one model: first the forms of each, then rounds in which each is started, loaded and stopped in turn. */
export async function measureModel(
  peers: readonly ReadyPeer[],
  model: BenchedModel,
  bench: Bench,
): Promise<ModelFigures> {
  const tried = new Map<string, readonly Trial[]>();
  const chosen: Chosen[] = [];
  for (const ready of peers) {
    const trials = await tryForms(ready, model, bench);
    tried.set(ready.peer.name, trials);
    const best = bestOf(trials);
    const form = ready.peer.forms.find(({ name }) => name === best?.form);
    if (form !== undefined && best?.perSecond !== undefined) {
      chosen.push({ ...ready, form, closedPerSecond: best.perSecond });
    }
  }
  const commonPerSecond = commonRate(chosen.map(({ closedPerSecond }) => closedPerSecond));
  const rounds = await roundsOf(chosen, { model, bench, commonPerSecond });
  const figures = peers.map(({ peer }): PeerFigures => {
    const one = chosen.find((each) => each.peer === peer);
    const { ran = [], failed } = rounds.get(peer.name) ?? {};
    const trials = tried.get(peer.name) ?? [];
    return {
      peer: peer.name,
      trials,
      form: one?.form.name,
      rounds: ran,
      ...(failed === undefined ? {} : { failed }),
    };
  });
  const { name, title, p99MsMax } = model;
  return { model: name, title, p99MsMax, commonPerSecond, peers: figures };
}

/** The trial with the highest rate; undefined where none worked. */
export function bestOf(trials: readonly Trial[]): Trial | undefined {
  return trials.reduce<Trial | undefined>((best, trial) => {
    if (trial.perSecond === undefined) return best;
    return trial.perSecond > (best?.perSecond ?? 0) ? trial : best;
  }, undefined);
}

/** A rate that all peers should bear, from their closed-loop rates: two figures of it, so that it can be read. */
export function commonRate(closedRates: readonly number[]): number {
  if (closedRates.length === 0) return 0;
  return Number((Math.min(...closedRates) * COMMON_SHARE).toPrecision(2));
}

type Chosen = ReadyPeer & { readonly form: Form; readonly closedPerSecond: number };

async function tryForms(
  ready: ReadyPeer,
  model: BenchedModel,
  bench: Bench,
): Promise<readonly Trial[]> {
  const { peer } = ready;
  const trials: Trial[] = [];
  for (const form of bench.effort.whole ? peer.forms : peer.forms.slice(0, 1)) {
    try {
      const perSecond = await withServer(ready, { form, model, bench }, async (server, loaded) => {
        await server.expectRightAnswers();
        return closedRate(loaded, bench.effort.trial);
      });
      trials.push({ form: form.name, perSecond });
      bench.print(`${model.name} ${peer.name}, ${form.name}: ${perSecond.toFixed(0)} per second`);
    } catch (error) {
      trials.push({ form: form.name, failed: reasonOf(error) });
      bench.print(`${model.name} ${peer.name}, ${form.name}: failed: ${messageOf(error)}`);
    }
  }
  return trials;
}

type RoundPlan = {
  readonly model: BenchedModel;
  readonly bench: Bench;
  readonly commonPerSecond: number;
};
type Ran = { readonly ran: Round[]; failed?: string };

/** A peer that fails in one round is left out of the rest, with the reason. */
async function roundsOf(
  chosen: readonly Chosen[],
  plan: RoundPlan,
): Promise<ReadonlyMap<string, Ran>> {
  const { bench, model } = plan;
  const found = new Map<string, Ran>(chosen.map(({ peer }) => [peer.name, { ran: [] }]));
  const names = chosen.map(({ peer }) => peer.name);
  await interleave(names, bench.effort.rounds, async (name, round) => {
    const one = chosen.find(({ peer }) => peer.name === name);
    const sofar = found.get(name);
    if (one === undefined || sofar === undefined || sofar.failed !== undefined) return;
    try {
      const figures = await measureRound(one, plan, round);
      sofar.ran.push(figures);
      bench.print(`${model.name} ${name}, round ${round + 1}: ${wordsOf(figures)}`);
    } catch (error) {
      sofar.failed = reasonOf(error);
      bench.print(`${model.name} ${name}, round ${round + 1}: failed: ${messageOf(error)}`);
    }
  });
  return found;
}

async function measureRound(one: Chosen, plan: RoundPlan, round: number): Promise<Round> {
  const { bench, model, commonPerSecond } = plan;
  const { load, trial, whole } = bench.effort;
  return withServer(one, { form: one.form, model, bench }, async (server, asked) => {
    await server.expectRightAnswers();
    const loaded = { ...asked, seed: round + 1 };
    // Also the warm-up: a server that has just started is at its slowest.
    const closedPerSecond = await closedRate(loaded, trial);
    const search = whole
      ? await searched(loaded, closedPerSecond, bench)
      : { highestPerSecond: undefined, warnings: 0 };
    const { highestPerSecond, warnings } = search;
    const half = highestPerSecond && (await atRate(loaded, highestPerSecond / 2, load));
    return {
      startMs: server.startMs,
      closedPerSecond,
      highestPerSecond,
      half: half || undefined,
      common: await atRate(loaded, commonPerSecond, load),
      memoryMiB: await server.memoryMiB(),
      warnings,
    };
  });
}

async function searched(loaded: Loaded, closedPerSecond: number, bench: Bench) {
  const { load, confirmation } = bench.effort;
  let warnings = 0;
  const highestPerSecond = await highestRate({
    from: closedPerSecond * SEARCH_FROM,
    isGood: async (perSecond, isConfirmation) => {
      const report = await openLoad(loaded, perSecond, isConfirmation ? confirmation : load);
      const good = isGood(report, loaded.model.p99MsMax);
      const { latency, errors } = report.measured;
      const found = `p99 ${latency.p99Ms.toFixed(1)} ms ${JSON.stringify(errors)}`;
      bench.print(`  ${perSecond.toFixed(0)} per second: ${found}, ${good ? 'good' : 'too slow'}`);
      if (report.warnings.length > 0) warnings += 1;
      return good;
    },
  });
  return { highestPerSecond, warnings };
}

async function atRate(loaded: Loaded, perSecond: number, load: LoadTime): Promise<RateFigures> {
  const { measured, warnings } = await openLoad(loaded, perSecond, load);
  const { p50Ms, p99Ms } = measured.latency;
  const errors = measured.offered - measured.ok;
  return { perSecond, p50Ms, p99Ms, errors, warnings: warnings.length > 0 ? 1 : 0 };
}

type Situation = { readonly form: Form; readonly model: BenchedModel; readonly bench: Bench };

/** Starts the server by itself, with nothing else running, and stops it however the work ends. */
async function withServer<T>(
  { peer, environment }: ReadyPeer,
  { form, model, bench }: Situation,
  work: (server: ServerProcess, loaded: Loaded) => Promise<T>,
): Promise<T> {
  const folder = join(bench.folder, 'server');
  await rm(folder, { recursive: true, force: true });
  const ports = { httpPort: await freePort(), grpcPort: await freePort() };
  const command = await peer.command({ form, model, folder, environment, ...ports });
  const { call } = form;
  const { core, generator } = bench;
  const server = await ServerProcess.start({ command, call, ports, model, folder, core });
  try {
    return await work(server, { generator, call, ports, model, seed: 1 });
  } finally {
    await server.stop();
  }
}

function wordsOf({ startMs, highestPerSecond, half, common, memoryMiB }: Round): string {
  const rate = highestPerSecond === undefined ? 'not searched' : highestPerSecond.toFixed(0);
  return `started in ${startMs.toFixed(0)} ms, highest rate ${rate}, p99 ${half?.p99Ms.toFixed(1) ?? '-'} ms at half of it, ${common.p99Ms.toFixed(1)} ms at ${common.perSecond}, ${memoryMiB.toFixed(0)} MiB`;
}
