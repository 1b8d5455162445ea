import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { grpcurlPath } from '../interop/grpcurl.ts';
import { projectRoot } from '../support/project-root.ts';
import type { RunningGateway } from './a-gateway.ts';

const STAND_IN = path.join(import.meta.dirname, 'grpcurl.js');
const MAIN = path.join(import.meta.dirname, '../../src/cli/main.js');

/** Why blocks of shell cannot be run here; undefined: they can. */
export const noShell: string | undefined = ['sh', 'curl'].some(
  (program) => spawnSync(program, ['-c', ':']).error !== undefined,
)
  ? 'needs sh and curl'
  : undefined;

export type Ran = { readonly code: number; readonly out: string; readonly errors: string };

function grpcurl(): string {
  return existsSync(grpcurlPath) ? `'${grpcurlPath}'` : `'${process.execPath}' '${STAND_IN}'`;
}

/**
 * Runs a block as a reader would in the root of a clone, with four things put in the place of the reader's: the ports, the
 * ledger, this build of the program, and the grpcurl that the interop suite compiles, or a stand-in where it has not. A refusal by HTTP counts as a failure, and so does
 * blocks that take longer than `timeout` milliseconds.
 */
export function runBlock(text: string, gateway: RunningGateway, timeout = 15_000): Promise<Ran> {
  const admin = `http://127.0.0.1:${gateway.adminPort}`;
  const prelude = [
    'curl() { command curl -sS --fail-with-body "$@"; }',
    `grpcurl() { ${grpcurl()} "$@"; }`,
    `node() { if [ "$1" = out/src/cli/main.js ]; then shift; understudy "$@"; else '${process.execPath}' "$@"; fi; }`,
    `understudy() { '${process.execPath}' '${MAIN}' "$@"; }`,
    `export UNDERSTUDY_ADMIN=${admin}`,
    'set -e',
  ];
  const script = text
    .replaceAll('localhost:8000', `127.0.0.1:${gateway.httpPort}`)
    .replaceAll('localhost:8001', `127.0.0.1:${gateway.grpcPort}`)
    .replaceAll('localhost:8002', `127.0.0.1:${gateway.adminPort}`)
    .replaceAll('var/ledger', gateway.ledger);
  return new Promise((resolve) => {
    const child = execFile(
      'sh',
      ['-c', [...prelude, script].join('\n')],
      { cwd: projectRoot, timeout },
      (_, out, errors) => resolve({ code: child.exitCode ?? -1, out, errors }),
    );
  });
}
