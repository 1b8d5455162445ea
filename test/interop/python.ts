import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

import { projectRoot } from '../support/project-root.ts';

const run = promisify(execFile);

const FOLDER = join(projectRoot, 'test', 'interop');

/** Installing takes about a minute, once for each content of requirements.txt. */
const INSTALL_MS_MAX = 600_000;

/** The Python that has the pinned clients. */
export function pythonWithClients(): Promise<string> {
  return pythonOf(FOLDER);
}

/**
 * The Python of a virtual environment that has what the folder's requirements.txt pins. It is made on first use, under `.build/`,
 * and used again until the pins change. Needs python3 with venv, and a package index.
 */
export async function pythonOf(folder: string): Promise<string> {
  const requirements = join(folder, 'requirements.txt');
  const pins = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 12);
  const place = join(projectRoot, '.build', basename(folder), pins);
  const python = join(place, 'bin', 'python');
  // Written last: an environment without it was left half made.
  const whole = join(place, 'installed');
  if (!existsSync(whole)) {
    await rm(place, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', place], { timeout: INSTALL_MS_MAX });
    const install = ['-m', 'pip', 'install', '--quiet', '--no-deps', '-r', requirements];
    await run(python, install, { timeout: INSTALL_MS_MAX });
    await run(python, ['-m', 'pip', 'check']);
    await writeFile(whole, '');
  }
  return python;
}

export type Claim = { readonly claim: string; readonly why: string | null };

export type Addresses = {
  readonly http: string;
  readonly grpc: string;
  /** An ONNX model that the server does not have. */
  readonly upload?: string;
  /** The folder of `ca.crt`, `client.crt` and `client.key`. */
  readonly certificates?: string;
};

const CLIENT_MS_MAX = 120_000;

/** Runs one file of `clients/` against a server, and returns what it claims and whether it holds. */
export async function runClient(
  python: string,
  file: string,
  { http, grpc, upload = '', certificates = '' }: Addresses,
): Promise<readonly Claim[]> {
  const args = ['--rest-address', http, '--rpc-address', grpc, '--upload', upload];
  const env = { ...process.env, CERTIFICATES: certificates };
  const options = { env, timeout: CLIENT_MS_MAX, maxBuffer: 16 * 1024 * 1024 };
  const ended = run(python, [join(FOLDER, 'clients', file), ...args], options);
  // A false claim ends the client with 1; what it printed says which.
  const { stdout, stderr } = await ended.catch((error: unknown) => {
    if (hasPrinted(error)) return error;
    throw error;
  });
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  if (lines.length === 0) throw new Error(`${file} made no claim: ${stderr}`);
  return lines.map((line) => JSON.parse(line) as Claim);
}

function hasPrinted(error: unknown): error is { readonly stdout: string; readonly stderr: string } {
  return error instanceof Error && 'stdout' in error && 'code' in error && error.code === 1;
}
