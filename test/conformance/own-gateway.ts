import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMMAND } from '../support/command.ts';
import { until } from '../support/until.ts';
import type { Target } from './run-cases.ts';

export type OwnGateway = Target & {
  readonly log: () => string;
  readonly close: () => Promise<void>;
};

/** Long enough for a model that is loaded on a busy machine. */
const DEADLINE_MS = 20_000;

/**
 * `understudy serve` as a process of its own, on free ports, with the models that `write` puts into a folder. All of them run in
 * the gateway's process: dozens of models would else be dozens of processes. Resolves once it answers.
 */
export async function startOwnGateway(
  write: (repository: string) => Promise<readonly string[]>,
): Promise<OwnGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-conformance-'));
  const models = await write(join(folder, 'models'));
  const config = join(folder, 'understudy.yaml');
  await writeFile(config, configOf(models));
  const child = spawn(process.execPath, [COMMAND, 'serve', '--log-json', '-c', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const close = async (): Promise<void> => {
    await stopped(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const target = await until('the gateway answers', () => {
      if (child.exitCode !== null) throw new Error(`it ended:\n${log}`);
      return targetIn(log);
    });
    return { ...target, log: () => log, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function configOf(models: readonly string[]): string {
  const sections = models.map(
    (name) =>
      `  ${name}: { execution: { isolation: thread }, instances: { replicas: 1 }, queue: { deadlineMs: ${DEADLINE_MS} } }\n`,
  );
  return `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0, modelControl: explicit }
repository: ./models
ledger: ./ledger
models:
${sections.join('')}`;
}

type Entry = { readonly message: string; readonly facts?: Readonly<Record<string, unknown>> };

/** What the log says of where it answers; undefined before its models have started. */
function targetIn(log: string): Target | undefined {
  const whole = log.slice(0, log.lastIndexOf('\n') + 1).split('\n');
  const entries = whole.flatMap((line) =>
    line.startsWith('{') ? [JSON.parse(line) as Entry] : [],
  );
  const news = entries.find(({ message }) => message.startsWith('answering at'));
  if (!entries.some(({ message }) => message.startsWith('started after'))) return undefined;
  const http = /http:\/\/\S+/.exec(news?.message ?? '')?.[0];
  if (http === undefined) return undefined;
  const port = news?.facts?.['grpc'];
  return { http, grpc: port === undefined ? undefined : `127.0.0.1:${String(port)}` };
}

/** Asked to stop, and made to if it does not. */
async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
  await ended;
  clearTimeout(timer);
}
