import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/load.ts';
import type { LogEntry } from '../../src/core/log.ts';
import { listModels } from '../../src/models/read-catalog.ts';
import { until } from '../support/until.ts';
import { aRepository, put } from './a-control.ts';

/** More than there are threads for files. */
const OPENS = 64;

/** Has every operation on a file hang, as on a dead disk: all threads wait for the writer of a pipe. Returns what ends that. */
function hangFiles(t: { readonly teardown: (work: () => unknown) => void }): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-pipe-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const opens = Array.from({ length: OPENS }, () => open(pipe, 'r'));
  return async () => {
    const writer = openSync(pipe, constants.O_RDWR);
    for (const opened of await Promise.all(opens)) await opened.close();
    closeSync(writer);
  };
}

t.test('a repository that hangs is waited for, and not silently', async (t) => {
  const root = await aRepository(t, { 'm/1/model.onnx': 'none' });
  await put(root, '_understudy.yaml', 'apiVersion: understudy/v1\nrepository: .\n');
  const config = await loadConfig(join(root, '_understudy.yaml'));
  const log: LogEntry[] = [];
  const goOn = hangFiles(t);
  const listing = listModels(config, (entry) => void log.push(entry));
  await until('it is said', () => log.length > 0);
  t.match(log, [
    { level: 'error', message: /: not listed after 2 s, and no port opens before it is\. Is the/ },
  ]);
  await goOn();
  t.match(await listing, { names: ['m'] });
  t.equal(log.length, 1);
});
