import { open, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { Reader } from '../../src/repository/reader.ts';
import type { BytesRead } from '../../src/repository/reading-progress.ts';
import { isAlive } from '../e2e/processes.ts';
import { anIdentityModel } from '../support/a-model-file.ts';
import { until } from '../support/until.ts';
import { aRepository } from './a-repository.ts';

const MODEL = anIdentityModel('FP32');
const ENDLESS_BYTES = 2 ** 39;

/** `m` with a file next to its model that takes longer to read than a test can wait. */
async function anEndlessModel(): Promise<string> {
  const root = await aRepository({ 'm/1/model.onnx': MODEL });
  const file = join(root, 'm/1/weights.bin');
  await (await open(file, 'w')).close();
  await truncate(file, ENDLESS_BYTES);
  return root;
}

t.test('models are read in another process, one after the other', async (t) => {
  const root = await aRepository({
    'm/1/model.onnx': MODEL,
    'm/old/model.onnx': MODEL,
    'n/1/model.onnx': 'none',
  });
  const reader = new Reader();
  t.teardown(() => reader.close());
  const m = await reader.read({ root, model: 'm', named: ['old'] }, () => undefined);
  t.same(
    m.packages.map(({ version }) => version),
    ['1', 'old'],
  );
  t.match(m.packages[0], { digest: /^[0-9a-f]{64}$/, signature: { inputs: [{ name: 'x' }] } });
  const pid = reader.pid;
  const n = await reader.read({ root, model: 'n', named: [] }, () => undefined);
  t.match(n.problems, [{ where: join(root, 'n', '1') }]);
  t.equal(reader.pid, pid, 'it is the same one');
});

t.test('a process that could not be started is not kept for the next read', async (t) => {
  const root = await aRepository({ 'm/1/model.onnx': MODEL });
  const reader = new Reader();
  t.teardown(() => reader.close());
  const read = () => reader.read({ root, model: 'm', named: [] }, () => undefined);
  const { execPath } = process;
  process.execPath = join(root, 'no-node');
  await t.rejects(read(), { code: 'ENOENT' });
  process.execPath = execPath;
  t.equal((await read()).packages.length, 1);
});

t.test('progress of a long read is reported, and closing kills the process', async (t) => {
  const root = await anEndlessModel();
  const reader = new Reader();
  const told: BytesRead[] = [];
  const reading = reader.read({ root, model: 'm', named: [] }, (read) => told.push(read));
  reading.catch(() => undefined);
  await until('it has come on', () => {
    const [first, last] = [told[0]?.bytes ?? 0, told.at(-1)?.bytes ?? 0];
    return first > 0 && last > first;
  });
  t.ok((told.at(-1)?.total ?? 0) >= ENDLESS_BYTES);
  const pid = reader.pid ?? 0;
  reader.close();
  await t.rejects(reading, { message: 'the reader was closed' });
  await until('it is gone', () => !isAlive(pid));
});

t.test('files of which nothing comes are given up, and the process with them', async (t) => {
  const root = await anEndlessModel();
  const reader = new Reader({ stallMs: 500 });
  const reading = reader.read({ root, model: 'm', named: [] }, () => undefined);
  reading.catch(() => undefined);
  // As if the disk were gone: the process stands still.
  const pid = reader.pid ?? 0;
  process.kill(pid, 'SIGSTOP');
  await t.rejects(reading, {
    message: /^its files cannot be read: nothing of them came within 500 ms\./,
  });
  await until('it is gone', () => !isAlive(pid));
});
