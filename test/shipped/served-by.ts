import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../support/until.ts';
import type { Teardown } from './an-install.ts';

/** Ports that are free, and the packages that ship. */
const CONFIG = `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0 }
repository: ./node_modules/understudy/models
ledger: ./ledger
`;

const CLOTHES = {
  inputs: [
    {
      name: 'image',
      datatype: 'FP32',
      shape: [1, 1, 28, 28],
      data: Array.from({ length: 784 }, (_, place) => place / 784),
    },
  ],
};

export type Served = { readonly status: number; readonly answer: unknown; readonly end: unknown };

/**
 * Starts `understudy serve` of an installed copy, asks it for one inference, and stops it as an operator does. `program` and
 * `args` are what starts the command: the installed link, or a Node and the file.
 */
export async function servedBy(
  t: Teardown,
  folder: string,
  [program, ...args]: readonly [string, ...string[]],
): Promise<Served> {
  const config = join(folder, 'understudy.yaml');
  await writeFile(config, CONFIG);
  const child = spawn(program, [...args, 'serve', '--log-json', '-c', config], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const ended = once(child, 'close');
  t.teardown(() => {
    // Its children too, where it has not ended by itself.
    if (child.exitCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
  });
  await until('the models are loaded', () => {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${log}`);
    return /"started after/.test(log);
  });
  const [, url] = /"answering at ([^"\s]+)/.exec(log) ?? [];
  const asked = await fetch(`${url}/v2/models/fashion/infer`, {
    method: 'POST',
    body: JSON.stringify(CLOTHES),
  });
  const answer: unknown = await asked.json();
  child.kill('SIGTERM');
  const [end] = await ended;
  return { status: asked.status, answer, end };
}
