import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Random } from '../../src/core/random.ts';
import type { LedgerRecord } from '../../src/core/record.ts';
import { type Place, RunningGateway } from '../e2e/a-gateway.ts';
import { until } from '../support/until.ts';
import { faultsOfLedger, faultsOfRestart, recordsOf } from './after-kill.ts';
import { Caller, Operator } from './caller.ts';
import type { KillerData } from './killer.ts';
import { aPlaceToKill, type Teardown } from './place.ts';

/** When a gateway is killed: at a random moment, or as soon as the ledger's file shows this. */
const AIMS = {
  'at random': undefined,
  'between promotion and route': '"kind":"promote"',
  'between abort and route': '"kind":"abort"',
  'between step and route': '"kind":"enterStep"',
  'between command and route': '"kind":"setRoute"',
  'after the start of a rollout': '"kind":"rolloutStarted"',
} as const;

export type Aim = keyof typeof AIMS;

export const ALL_AIMS = Object.keys(AIMS) as readonly Aim[];

export type Kill = {
  readonly aim: Aim;
  readonly records: number;
  /** What the last record of the killed gateway was. */
  readonly last: string;
  /** True where what the last record says was still to be carried out. */
  readonly isBetween: boolean;
  /** From the new process to its answers. */
  readonly restartMs: number;
  readonly faults: readonly string[];
};

export type ExamOptions = {
  readonly t: Teardown;
  readonly random: Random;
  readonly aims: readonly Aim[];
  readonly onKill?: (kill: Kill, number: number) => void;
};

/** Kills a gateway once for each aim, starts it again on what is left, and says what was wrong with that. */
export async function examKills(options: ExamOptions): Promise<readonly Kill[]> {
  const place = await aPlaceToKill(options.t);
  const acknowledged: string[] = [];
  const kills: Kill[] = [];
  let gateway = await RunningGateway.start(options.t, place);
  // The first record makes the file that is watched.
  await new Operator(gateway).split();
  for (const aim of options.aims) {
    const operator = new Operator(gateway);
    const traffic = await workAndKill({ gateway, operator, place, aim, random: options.random });
    acknowledged.push(...operator.acknowledged);
    const records = await recordsOf(place.ledger);
    const ledgerFaults = await faultsOfLedger(place.ledger, acknowledged);
    const startMs = performance.now();
    gateway = await RunningGateway.start(options.t, place);
    const restartMs = performance.now() - startMs;
    const faults = await faultsOfRestart(gateway, new Operator(gateway), place.ledger);
    const last = records.at(-1);
    const kill: Kill = {
      aim,
      records: records.length,
      last: lastText(last),
      isBetween: isOwing(last),
      restartMs,
      faults: [...traffic, ...ledgerFaults, ...faults],
    };
    kills.push(kill);
    options.onKill?.(kill, kills.length);
  }
  gateway.kill('SIGTERM');
  const { code } = await gateway.ended;
  const end = await faultsOfLedger(place.ledger, acknowledged);
  if (code !== 0 || end.length > 0) {
    const faults = [`ended with ${code}`, ...end];
    kills.push({ aim: 'at random', records: 0, last: '', isBetween: false, restartMs: 0, faults });
  }
  return kills;
}

type Work = {
  readonly gateway: RunningGateway;
  readonly operator: Operator;
  readonly place: Place;
  readonly aim: Aim;
  readonly random: Random;
};

/** Live requests and commands until the aim is met; then `kill -9`. Returns what was wrong with answers before. */
async function workAndKill(work: Work): Promise<readonly string[]> {
  const { gateway, aim, random } = work;
  const pattern = AIMS[aim];
  if (pattern !== undefined) await killAt(pattern, work);
  let isDead = false;
  const commands = giveCommands(work, () => isDead).catch(() => undefined);
  const traffic = new Caller(gateway).ask(Number.POSITIVE_INFINITY, () => isDead);
  if (pattern === undefined) {
    await pause(200 + random.integer(2_500));
    gateway.kill('SIGKILL');
  }
  await gateway.ended;
  isDead = true;
  await commands;
  return (await traffic).faults;
}

/** What operators do to a model: starts and ends of trials. Refusals are expected. */
async function giveCommands(work: Work, isDead: () => boolean): Promise<void> {
  const { operator, aim, random } = work;
  while (!isDead()) {
    const isAlive = (await operator.get('rollout'))['step'] !== undefined;
    if (aim === 'between command and route') {
      if (isAlive) await operator.command('abort');
      await operator.split();
      continue;
    }
    if (!isAlive) await operator.unsplit();
    if (!isAlive) await operator.start();
    await pause(random.integer(aim === 'between step and route' ? 100 : 800));
    const end = endOf(work);
    if (end !== undefined) await operator.command(end);
  }
}

/** How a try ends this time; undefined: not yet. */
function endOf({ aim, random }: Work): string | undefined {
  switch (aim) {
    case 'between promotion and route':
      return 'promote';
    case 'between step and route':
    case 'between command and route':
      return undefined;
    case 'between abort and route':
    case 'after the start of a rollout':
      return 'abort';
    case 'at random':
      return ['promote', 'abort', undefined, undefined, undefined][random.integer(5)];
  }
}

async function newestFile(ledger: string): Promise<string> {
  return until('the ledger has a file', async () => {
    const names: readonly string[] = await readdir(ledger).catch(() => []);
    const newest = names
      .filter((name) => name.endsWith('.jsonl'))
      .sort()
      .at(-1);
    return newest !== undefined && join(ledger, newest);
  });
}

/** Kills the gateway as soon as the ledger's newest file shows the pattern. Resolves when the watch is set. */
async function killAt(pattern: string, { gateway, place }: Work): Promise<void> {
  const workerData: KillerData = {
    file: await newestFile(place.ledger),
    pattern,
    pid: gateway.pid,
    withinMs: 30_000,
  };
  const killer = new Worker(new URL('./killer.js', import.meta.url), { workerData });
  await once(killer, 'message');
}

function lastText(record: LedgerRecord | undefined): string {
  if (record === undefined) return 'nothing';
  const { body } = record;
  if (body.kind === 'decision') return `decision: ${body.decision.action.kind}`;
  if (body.kind !== 'command') return body.kind;
  return `command: ${body.command.kind}${body.refused === undefined ? '' : ', refused'}`;
}

/** True where a route, or the rollout itself, is still to follow. */
function isOwing(record: LedgerRecord | undefined): boolean {
  if (record === undefined || record.body.kind === 'route') return false;
  const { body } = record;
  if (body.kind === 'decision') return body.decision.action.kind !== 'wait';
  return body.kind !== 'command' || body.refused === undefined;
}
