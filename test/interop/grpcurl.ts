import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { projectRoot } from '../support/project-root.ts';

const run = promisify(execFile);

const VERSION = 'v1.9.3';

/** Where the compiled grpcurl is, once it is. */
export const grpcurlPath = join(projectRoot, '.build', 'interop', `grpcurl-${VERSION}`, 'grpcurl');

/** Fetching and compiling take about a minute, once for each version. */
const INSTALL_MS_MAX = 600_000;

/**
 * The real grpcurl, compiled on first use under `.build/` and used again. Undefined where Go is not installed; where it is, what
 * fails is an error. Needs a proxy of Go modules.
 */
export async function grpcurlProgram(): Promise<string | undefined> {
  if (existsSync(grpcurlPath)) return grpcurlPath;
  const go = await goProgram();
  if (go === undefined) return undefined;
  const env = { ...process.env, GOBIN: dirname(grpcurlPath) };
  const what = `github.com/fullstorydev/grpcurl/cmd/grpcurl@${VERSION}`;
  await run(go, ['install', what], { env, timeout: INSTALL_MS_MAX });
  return grpcurlPath;
}

/** Go where it is on the path, or where its installer puts it. */
export async function goProgram(): Promise<string | undefined> {
  for (const candidate of ['go', '/usr/local/go/bin/go']) {
    const runs = await run(candidate, ['version']).then(
      () => true,
      () => false,
    );
    if (runs) return candidate;
  }
  return undefined;
}
