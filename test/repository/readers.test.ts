import { join } from 'node:path';
import t from 'tap';
import { Reader } from '../../src/repository/reader.ts';
import { Readers } from '../../src/repository/readers.ts';
import { isAlive } from '../e2e/processes.ts';
import { anIdentityModel } from '../support/a-model-file.ts';
import { until } from '../support/until.ts';
import { aRepository } from './a-repository.ts';

const MODEL = anIdentityModel('FP32');

type Teardown = { readonly teardown: (work: () => unknown) => void };

/** Readers whose processes are known, in a repository with `m` and `n`; the first `hangs` processes stand still as soon as they read. */
async function aWorld(t: Teardown, { hangs = 0, stallMs = 60_000, idleMs = 60_000 } = {}) {
  const root = await aRepository({ 'm/1/model.onnx': MODEL, 'n/1/model.onnx': MODEL });
  const opened: Reader[] = [];
  const readers = new Readers({
    idleMs,
    openReader: () => {
      const isHung = opened.length < hangs;
      const reader = new Reader(isHung ? { stallMs } : {});
      opened.push(reader);
      if (!isHung) return reader;
      const read: Reader['read'] = (order, onProgress) => {
        const reading = reader.read(order, onProgress);
        // As if the disk were gone.
        process.kill(reader.pid ?? 0, 'SIGSTOP');
        return reading;
      };
      return { read, list: (directory) => reader.list(directory), close: () => reader.close() };
    },
  });
  t.teardown(() => readers.close());
  return {
    root,
    readers,
    opened,
    read: (model: string) => readers.read({ root, model, named: [] }),
  };
}

t.test('one process reads what comes one after the other, and ends once idle', async (t) => {
  const { root, readers, opened, read } = await aWorld(t, { idleMs: 2_000 });
  t.match(await read('m'), { packages: [{ model: 'm', version: '1' }] });
  t.match(await readers.list(root), { names: ['m', 'n'], broken: [] });
  t.match(await read('n'), { packages: [{ model: 'n', version: '1' }] });
  t.equal(opened.length, 1);
  const pid = opened[0]?.pid ?? 0;
  await until('it is gone', () => !isAlive(pid));
});

t.test('a package that is known and unchanged comes back as it was read', async (t) => {
  const { root, readers, read } = await aWorld(t);
  const { packages: known } = await read('m');
  const again = await readers.read({ root, model: 'm', named: [], known });
  t.same(again.packages, known);
});

t.test('files that hang hold no other model, and are given up with their process', async (t) => {
  const { opened, read } = await aWorld(t, { hangs: 1, stallMs: 2_000 });
  const hung = read('m');
  hung.catch(() => undefined);
  const pid = opened[0]?.pid ?? 0;
  t.match(await read('n'), { packages: [{ model: 'n' }] }, 'another process reads it meanwhile');
  await t.rejects(hung, { message: /^its files cannot be read: nothing of them came within/ });
  await until('it is gone', () => !isAlive(pid));
  t.match(await read('m'), { packages: [{ model: 'm' }] }, 'the next one asks again');
});

t.test(
  'at most eight processes read at one time, and closing ends all and what waits',
  async (t) => {
    const { readers, opened, read } = await aWorld(t, { hangs: 10 });
    const ends = Promise.allSettled(Array.from({ length: 10 }, () => read('m')));
    t.equal(opened.length, 8);
    const pids = opened.map(({ pid = 0 }) => pid);
    t.ok(pids.every(isAlive));
    readers.close();
    t.ok((await ends).every(({ status }) => status === 'rejected'));
    await until('all are gone', () => !pids.some(isAlive));
    t.equal(opened.length, 8);
    await t.rejects(read('n'), { message: 'the gateway stops: nothing more is read' });
  },
);

t.test('a directory that cannot be read is said', async (t) => {
  const { root, readers } = await aWorld(t);
  await t.rejects(readers.list(join(root, 'nowhere')), {
    message: /^expected a directory that can be read: ENOENT/,
  });
});
