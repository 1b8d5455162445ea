import { spawnSync } from 'node:child_process';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { COMMAND, understudy } from '../support/command.ts';
import { aPlace, type Place, RunningGateway } from './a-gateway.ts';

const TIME = { timeout: 60_000 };

t.test(
  'a configuration that cannot be read stops the start, with file, line and column',
  TIME,
  async (t) => {
    await refuses(t, { file: 'a: [\n', code: 2, says: /understudy\.yaml:2:1 / });
    await refuses(t, {
      file: 'apiVersion: understudy/v1\nmodels:\n  fashion:\n    instnces: auto\n',
      code: 2,
      says: /understudy\.yaml:4:5 .*unknown key "instnces".*Did you mean "instances"\?/,
    });
    const gone = await understudy(['serve', '-c', '/nowhere/understudy.yaml']);
    t.equal(gone.code, 2);
    t.match(gone.stderr, /\/nowhere\/understudy\.yaml:1:1 expected a readable file/);
  },
);

t.test('a repository that is not there stops the start', TIME, async (t) => {
  const place = await aPlace(t, []);
  const { code, stderr } = await understudy(['serve', '-c', place.config]);
  t.equal(code, 1);
  t.match(stderr, /understudy: repository .*models: expected a directory that can be read/);
});

t.test('a port that is taken stops the start and leaves the ledger free', TIME, async (t) => {
  const place = await aPlace(t, ['1']);
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => other.once('listening', listening));
  t.teardown(() => other.close());
  const address = other.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  await change(place, (text) => text.replace('http: 127.0.0.1:0', `http: 127.0.0.1:${port}`));
  const { code, stderr } = await understudy(['serve', '-c', place.config]);
  t.equal(code, 1);
  t.match(stderr, new RegExp(`understudy: server\\.http: .*in use 127\\.0\\.0\\.1:${port}`));
  await RunningGateway.start(t, { ...place, config: await withPort(place, port) });
});

t.test(
  'broken and missing packages of the repository are reported, and the rest is served',
  TIME,
  async (t) => {
    const place = await aPlace(t, ['1']);
    const half = join(place.root, 'models', 'half', '1');
    await mkdir(half, { recursive: true });
    const whole = await readFile(join(place.root, 'models', 'fashion', '1', 'model.onnx'));
    await writeFile(join(half, 'model.onnx'), whole.subarray(0, 5_000));
    await mkdir(join(place.root, 'models', 'empty', '1'), { recursive: true });
    await appendFile(place.config, '  fashoin: { route: { stable: "1" } }\n');
    const gateway = await RunningGateway.start(t, place);
    const told = gateway
      .entries()
      .map(({ message }) => message)
      .join('\n');
    t.match(told, /cannot be served: model\.onnx: expected .*found/);
    t.match(told, /cannot be served: expected a file model\.onnx, found none/);
    t.match(
      told,
      /models\.fashoin: expected a model of the repository \("fashion"\), found "fashoin"/,
    );
    t.equal(await ready(gateway, '/v2/models/fashion/ready'), 200);
    t.equal(await ready(gateway, '/v2/health/ready'), 200);
    t.equal(await ready(gateway, '/v2/models/half/ready'), 503);
  },
);

t.test(
  'a stable version that the repository lacks is named, and so are those there are',
  TIME,
  async (t) => {
    const place = await aPlace(t, ['1', '2']);
    await change(place, (text) => text.replace('stable: "1"', 'stable: "9"'));
    const gateway = await RunningGateway.start(t, place);
    const told = gateway
      .entries()
      .find(({ message }) => message.startsWith('models.fashion.route.stable'));
    t.match(told?.message, /expected a version of the repository \("1", "2"\), found "9"/);
    const health = await fetch(`http://127.0.0.1:${gateway.httpPort}/v2/health/ready`);
    t.equal(health.status, 503);
    const answer = await fetch(`http://127.0.0.1:${gateway.httpPort}/v2/models/fashion/infer`, {
      method: 'POST',
      body: '{"inputs": []}',
    });
    t.equal(answer.status, 503);
    t.match(await answer.text(), /version '9'/);
  },
);

async function refuses(
  t: Test,
  expected: { file: string; code: number; says: RegExp },
): Promise<void> {
  const place = await aPlace(t, []);
  await writeFile(place.config, expected.file);
  const { code, stderr } = await understudy(['serve', '-c', place.config]);
  t.equal(code, expected.code);
  t.match(stderr, expected.says);
}

async function change(place: Place, edit: (text: string) => string): Promise<void> {
  await writeFile(place.config, edit(await readFile(place.config, 'utf8')));
}

/** The same place, its port a free one again. */
async function withPort(place: Place, port: number | undefined): Promise<string> {
  await change(place, (text) => text.replace(`http: 127.0.0.1:${port}`, 'http: 127.0.0.1:0'));
  return place.config;
}

async function ready(gateway: RunningGateway, path: string): Promise<number> {
  return (await fetch(`http://127.0.0.1:${gateway.httpPort}${path}`)).status;
}

t.test('too few files that may be open are named, with the number found', async (t) => {
  const command = `ulimit -n 64; exec ${process.execPath} ${COMMAND} serve`;
  const { status, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8' });
  t.equal(status, 1);
  t.match(stderr, /^understudy: too many open files: .*found 64\. Raise it with ulimit -n/);
});
