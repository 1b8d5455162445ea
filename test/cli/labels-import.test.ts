import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { EXIT } from '../../src/cli/exit-code.ts';
import { labelLines } from '../../src/cli/label-lines.ts';
import { ProgressFile } from '../../src/cli/label-progress.ts';
import { understudy } from '../support/command.ts';

type Item = Readonly<Record<string, unknown>>;
type Reply = { readonly status?: number; readonly state?: (item: Item) => object };

async function aFile(t: Test, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-import-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'labels.csv');
  await writeFile(file, text);
  return file;
}

/** A gateway of the test's own: `reply` says what becomes of each call, by its number. */
async function aTaker(t: Test, reply: (call: number) => Reply = () => ({})) {
  const calls: (readonly Item[])[] = [];
  const server = createServer(async (request, response) => {
    const items = JSON.parse(await textOf(request)) as readonly Item[];
    const { status = 200, state = () => ({ state: 'joined' }) } = reply(calls.length);
    calls.push(items);
    const type = { 'content-type': 'application/json' };
    response.writeHead(status, status === 200 ? type : { ...type, 'retry-after': '0' });
    response.end(JSON.stringify(status === 200 ? { counts: {}, items: items.map(state) } : {}));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { calls, url };
}

const importOf = (file: string, url: string) =>
  understudy(['labels', 'import', file, '--url', url, '--model', 'm', '-o', 'json']);

function rows(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, at) => `order ${from + at},bag\n`).join('');
}

async function itemsOf(t: Test, text: string, model?: string) {
  const items: unknown[] = [];
  for await (const { item, problem } of labelLines(await aFile(t, text), model))
    items.push(item ?? problem);
  return items;
}

t.test('CSV and JSON lines are read, and a bad line says what is wrong with it', async (t) => {
  t.match(
    await itemsOf(t, '\uFEFFid,label\r\n"a, ""b""",bag\r\nc,7\n\nd,"[1,2]"\ne\nf,g,h\n', 'm'),
    [
      { id: 'a, "b"', model: 'm', label: 'bag' },
      { id: 'c', label: 7 },
      { id: 'd', label: [1, 2] },
      /expected two cells, id and label/,
      /expected two cells, id and label/,
    ],
  );
  t.same(await itemsOf(t, 'token,label\nt,3d\n'), [{ token: 't', label: '3d' }]);
  t.match(await itemsOf(t, '{"id":"a","model":"n","label":1}\n{"id":\n{"id":"b","label":1}\n7\n'), [
    { id: 'a', model: 'n', label: 1 },
    /expected a JSON object/,
    /Name it with --model/,
    /expected a JSON object/,
  ]);
  await t.rejects(itemsOf(t, 'name,class\na,b\n'), { exitCode: EXIT.usage, message: /header/ });
});

t.test('a file is sent in calls of a bounded size, and its states are counted', async (t) => {
  const file = await aFile(t, `id,label\n${rows(0, 1_200)}`);
  const { calls, url } = await aTaker(t);
  const { code, stdout } = await importOf(file, url);
  t.equal(code, 0);
  t.same(JSON.parse(stdout), { counts: { joined: 1_200 }, problems: [] });
  t.same(
    calls.map(({ length }) => length),
    [500, 500, 200],
  );
  await t.rejects(access(`${file}.progress`), 'it is done');
});

t.test('what was refused is named by line, and the exit code says so', async (t) => {
  const file = await aFile(t, 'id,label\na,spoon\nb\nc,bag\n');
  const { url } = await aTaker(t, () => ({
    state: ({ label }) =>
      label === 'spoon'
        ? { state: 'refused', code: 'invalid_input', why: 'no such class' }
        : { state: 'joined' },
  }));
  const { code, stdout } = await importOf(file, url);
  t.equal(code, EXIT.failed);
  t.match(JSON.parse(stdout), {
    counts: { joined: 1, refused: 2 },
    problems: [
      { line: 3, why: /two cells/ },
      { line: 2, why: 'no such class' },
    ],
  });
});

t.test('a gateway that is busy or starts again gets those that it has not taken', async (t) => {
  const file = await aFile(t, `id,label\n${rows(0, 3)}`);
  const overloaded = { state: 'refused', code: 'overloaded', why: 'too fast' };
  const { calls, url } = await aTaker(t, (call) => {
    if (call < 2) return { status: call === 0 ? 503 : 429 };
    const isBusy = call === 2;
    return {
      state: ({ id }) => (isBusy && id !== 'order 1' ? overloaded : { state: 'joined' }),
    };
  });
  const { code, stdout } = await importOf(file, url);
  t.equal(code, 0);
  t.same(JSON.parse(stdout).counts, { joined: 3 });
  t.same(
    calls.map((items) => items.map(({ id }) => id)),
    [
      ['order 0', 'order 1', 'order 2'],
      ['order 0', 'order 1', 'order 2'],
      ['order 0', 'order 1', 'order 2'],
      ['order 0', 'order 2'],
    ],
  );
});

t.test('an import that was interrupted goes on where it stopped', async (t) => {
  const file = await aFile(t, `id,label\n${rows(0, 1_200)}`);
  const failing = await aTaker(t, (call) => (call === 0 ? {} : { status: 500 }));
  const { code, stderr } = await importOf(file, failing.url);
  t.equal(code, EXIT.failed);
  t.match(stderr, /Run the command again/);
  t.match(JSON.parse(await readFile(`${file}.progress`, 'utf8')), { line: 501 });
  const { calls, url } = await aTaker(t);
  const again = await importOf(file, url);
  t.same(JSON.parse(again.stdout).counts, { joined: 1_200 }, 'of both');
  t.equal(calls.flat().length, 700);
  t.equal(calls[0]?.[0]?.['id'], 'order 500');
});

t.test('a file that was changed, or a broken progress file, is sent from its start', async (t) => {
  const file = await aFile(t, 'id,label\na,b\n');
  const progress = new ProgressFile(file);
  await progress.read();
  await progress.write({ line: 1, counts: { joined: 1 } });
  t.same(await new ProgressFile(file).read(), { line: 1, counts: { joined: 1 } });
  await writeFile(file, 'id,label\na,b\nc,d\n');
  t.same(await new ProgressFile(file).read(), { line: 0, counts: {} });
  await writeFile(`${file}.progress`, '{"of":');
  t.same(await new ProgressFile(file).read(), { line: 0, counts: {} });
});

t.test('a file that is not there, and an address that is none, are usage errors', async (t) => {
  t.equal((await importOf('/no/such/file', 'http://127.0.0.1:9')).code, EXIT.usage);
  t.equal((await importOf(await aFile(t, 'id,label\n'), 'ftp://x')).code, EXIT.usage);
});
