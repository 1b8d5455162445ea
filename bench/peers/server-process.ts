import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/core/clock.ts';
import { messageOf } from '../../src/core/errors.ts';
import { senderFor } from '../../src/load/wire/open-sender.ts';
import type { BenchedModel } from './benched-models.ts';
import { differenceOf, type Ports, requestOf, rowIn, wireOf } from './calls.ts';
import type { Call, Command } from './peer.ts';
import { memoryMiB, processesOf } from './process-tree.ts';

const START_MS_MAX = 120_000;
const STOP_MS_MAX = 15_000;
const ANSWER_MS_MAX = 5_000;
const POLL_MS = 10;
/** Answers of different builds of a runtime differ in their last digits. */
const ABSOLUTE = 1e-4;

export type ServerOptions = {
  readonly command: Command;
  readonly call: Call;
  readonly ports: Ports;
  readonly model: BenchedModel;
  readonly folder: string;
  /** Undefined: any. */
  readonly core: number | undefined;
};

let started = 0;
const running = new Set<Parts>();

/** Ends all servers, daemons included, when a signal ends the bench. */
export async function endServers(): Promise<void> {
  await Promise.all([...running].map(end));
}

/** A server under test, with the processes that it has started. */
export class ServerProcess {
  readonly #parts: Parts;
  readonly #options: ServerOptions;
  /** From the start of the process to its first right answer. */
  readonly startMs: number;

  private constructor(options: ServerOptions, parts: Parts, startMs: number) {
    this.#parts = parts;
    this.#options = options;
    this.startMs = startMs;
  }

  /** Resolves once it gives a right answer. Rejects with the last that it said where it does not. */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    const startedMs = systemClock.monotonicMs();
    const parts = await launch(options);
    try {
      await firstAnswer(options, parts.child);
      return new ServerProcess(options, parts, systemClock.monotonicMs() - startedMs);
    } catch (error) {
      await end(parts);
      throw new Error(`${messageOf(error)}; it said: ${await lastWords(parts.log)}`);
    }
  }

  /** Sends every row once. Throws an Error where an answer differs from the runtime's own. */
  async expectRightAnswers(): Promise<void> {
    const { call, ports, model } = this.#options;
    const sender = senderFor(wireOf(call, ports));
    try {
      await sender.open(1);
      for (const place of model.rows.keys()) {
        const difference = await ask(sender, this.#options, place);
        if (difference !== undefined) throw new Error(`row ${place}: ${difference}`);
      }
    } finally {
      sender.close();
    }
  }

  /** All its processes together, in MiB; see `memoryMiB`. */
  async memoryMiB(): Promise<number> {
    const { child, mark } = this.#parts;
    return memoryMiB(await processesOf(pidOf(child), mark));
  }

  stop(): Promise<void> {
    return end(this.#parts);
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  return address.port;
}

type Parts = { readonly child: ChildProcess; readonly mark: string; readonly log: string };

/** Started through `env` and `taskset`, which become the server: the process id is the server's own. */
async function launch({ command, folder, core }: ServerOptions): Promise<Parts> {
  await mkdir(folder, { recursive: true });
  started += 1;
  const mark = `UNDERSTUDY_PEER=${process.pid}-${started}`;
  const log = join(folder, 'server.log');
  const file = await open(log, 'w');
  const environment = Object.entries({ HOME: folder, ...command.environment });
  const pinned = core === undefined ? [] : ['taskset', '-c', String(core)];
  const words = [mark, ...environment.map(([name, value]) => `${name}=${value}`), ...pinned];
  const child = spawn('env', [...words, ...command.argv], {
    cwd: folder,
    stdio: ['ignore', file.fd, file.fd],
    // A session of its own, by which its processes are found.
    detached: true,
  });
  await file.close();
  if (child.pid === undefined) {
    const [error] = await once(child, 'error');
    throw error;
  }
  const endWithUs = (): void => killGroup(child);
  process.once('exit', endWithUs);
  child.once('exit', () => process.off('exit', endWithUs));
  const parts = { child, mark, log };
  running.add(parts);
  return parts;
}

async function firstAnswer(options: ServerOptions, child: ChildProcess): Promise<void> {
  const startedMs = systemClock.monotonicMs();
  let found = 'no answer';
  while (systemClock.monotonicMs() - startedMs < START_MS_MAX) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    const sender = senderFor(wireOf(options.call, options.ports));
    try {
      await sender.open(1);
      const difference = await ask(sender, options, 0);
      if (difference === undefined) return;
      found = difference;
    } catch (error) {
      found = messageOf(error);
    } finally {
      sender.close();
    }
    await sleep(POLL_MS);
  }
  throw new Error(`no right answer within ${START_MS_MAX} ms, but: ${found}`);
}

type Asked = Pick<ServerOptions, 'call' | 'model'>;

/** What the answer to a row differs in. Rejects where none comes. */
async function ask(
  sender: ReturnType<typeof senderFor>,
  { call, model }: Asked,
  place: number,
): Promise<string | undefined> {
  const row = model.rows[place];
  const expected = model.expected[place];
  if (row === undefined || expected === undefined) throw new Error(`no row ${place}`);
  const tooLong = new AbortController();
  const { signal } = tooLong;
  const late = sleep(ANSWER_MS_MAX, undefined, { signal }).then((): never => {
    throw new Error(`no answer within ${ANSWER_MS_MAX} ms`);
  });
  late.catch(() => undefined);
  const sent = sender.send(requestOf(call, model, row));
  sent.catch(() => undefined);
  const answer = await Promise.race([sent, late]).finally(() => tooLong.abort());
  if (answer.error !== undefined) return `${answer.error} ${answer.body.toString('utf8', 0, 300)}`;
  return differenceOf(rowIn(call, answer.body, answer.head), expected, ABSOLUTE);
}

/** Asks the server to end, and kills it and the processes that it started after a while. */
async function end(parts: Parts): Promise<void> {
  const { child, mark } = parts;
  const pid = pidOf(child);
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await Promise.race([exited, sleep(STOP_MS_MAX, undefined, { ref: false })]);
  }
  // The session outlives its leader, and so does the mark.
  for (const each of await processesOf(pid, mark)) kill(each);
  running.delete(parts);
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('expected a process that was started');
  return pid;
}

function killGroup(child: ChildProcess): void {
  kill(-pidOf(child));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

async function lastWords(log: string): Promise<string> {
  const lines = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n');
  return lines.slice(-8).join(' | ').slice(-1_500);
}
