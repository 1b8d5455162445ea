/** The file of `deploy/compose` by Compose's own loader, with its schema. Needs Go, which compiles it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { goProgram } from '../interop/grpcurl.ts';
import { projectRoot } from '../support/project-root.ts';

const run = promisify(execFile);

t.setTimeout(300_000);

const WHAT = 'github.com/compose-spec/compose-go/v2/cmd@v2.16.2';
const COMPILE_MS_MAX = 280_000;

const folder = path.join(projectRoot, 'deploy/compose');
const programs = path.join(projectRoot, '.build/compose');
const loader = path.join(programs, 'cmd');
const go = await goProgram();
const skip = go === undefined ? 'needs Go' : false;
if (go !== undefined && !existsSync(loader)) {
  const env = { ...process.env, GOBIN: programs };
  await run(go, ['install', WHAT], { env, timeout: COMPILE_MS_MAX });
}

t.test('Compose takes the file as it is', { skip }, async (t) => {
  const { stdout } = await run(loader, ['compose.yaml'], { cwd: folder });
  t.match(stdout, /image: prom\/prometheus/);
});

t.test('Compose refuses it with a key that its schema does not have', { skip }, async (t) => {
  const scratch = await mkdtemp(path.join(tmpdir(), 'understudy-compose-'));
  t.teardown(() => rm(scratch, { recursive: true, force: true }));
  const text = await readFile(path.join(folder, 'compose.yaml'), 'utf8');
  await writeFile(path.join(scratch, 'compose.yaml'), text.replace('shm_size', 'shmm_size'));
  await t.rejects(run(loader, ['compose.yaml'], { cwd: scratch }), /shmm_size/);
});
