import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { configChanges, withoutRestarts } from '../../src/config/config-changes.ts';
import { ConfigFile } from '../../src/config/config-file.ts';
import { configOf, parseSource } from '../../src/config/load.ts';
import { effectOf } from '../../src/config/reload-effect.ts';
import { RunningConfig } from '../../src/config/running-config.ts';
import { shownValue } from '../../src/config/shown-value.ts';
import { makeFifo } from '../support/a-pipe.ts';

const aSource = (text: string) =>
  parseSource('understudy.yaml', `apiVersion: understudy/v1\n${text}`);

function lines(from: string, to: string): readonly string[] {
  return configChanges(aSource(from), aSource(to)).map(
    (change) => `${change.key}: ${change.from} -> ${change.to} (${change.effect})`,
  );
}

t.test('each changed key is one line, with defaults where nothing is written', async (t) => {
  t.same(lines('limits: { memoryMax: 1GiB }', 'limits: { memoryMax: 2GiB, headersMax: 32KiB }'), [
    'limits.headersMax: 16KiB (default) -> 32KiB (restart)',
    'limits.memoryMax: 1GiB -> 2GiB (applied)',
  ]);
  t.same(lines('models: { m: { batch: { rowsMax: 4 } } }', 'models: { m: { batch: off } }'), [
    'models.m.batch: {"rowsMax":4} -> off (applied)',
  ]);
  t.same(lines('', 'models: { m: {} }'), ['models.m: not set -> {} (applied)']);
  t.same(lines('', 'models: { m: { rollout: { maxDuration: 2h } } }'), [
    'models.m.rollout.maxDuration: 24h (default) -> 2h (applied)',
  ]);
});

t.test('defaults of all rollouts change without a restart', async (t) => {
  t.same(lines('rollout: { maxDuration: 12h }', 'rollout: { maxDuration: 2d, minRequests: 9 }'), [
    'rollout.maxDuration: 12h -> 2d (applied)',
    'rollout.minRequests: 0 (default) -> 9 (applied)',
  ]);
});

t.test('another way to write the same is no change', async (t) => {
  const from = `
repository: ./models
limits: { bodyMax: 1GiB }
models: { m: { queue: { deadlineMs: 50 }, batch: off, route: { stable: "1" } } }`;
  const to = `
models:
  m: { route: { stable: 1, rules: [] }, batch: false, queue: { requestsMax: 512, deadlineMs: 50 } }
repository: { path: ./models, poll: off }
limits: { bodyMax: 1024MiB }`;
  t.same(lines(from, to), []);
});

t.test('what needs a restart stays as it runs, and the rest is as in the file', async (t) => {
  const running = aSource('ledger: ./a\nmodels: { m: { queue: { deadlineMs: 50 } } }');
  const next = aSource(`
ledger: ./b
server: { http: 127.0.0.1:9000, readiness: strict }
models: { m: { queue: { deadlineMs: 70 } } }`);
  const source = withoutRestarts(next, configChanges(running, next));
  const config = configOf(source);
  t.match(config.ledger, /\/a$/);
  t.match(config.server, { http: { port: 8000 }, readiness: 'strict' });
  t.equal(config.models['m']?.queue.deadlineMs, 70);
  t.same(
    configChanges(source, next).map(({ key }) => key),
    ['ledger', 'server.http'],
    'and is named again',
  );
});

t.test('a key that nothing is known of needs a restart', async (t) => {
  t.equal(effectOf(['server', 'tls', 'key']), 'restart');
  t.equal(effectOf(['models', 'm', 'whatever']), 'applied');
});

t.test('secrets are not shown, wherever they stand', async (t) => {
  t.equal(shownValue(['server', 'auth', 'token'], 'geheim'), '***');
  t.equal(shownValue(['ledger'], 'postgres://me:geheim@db/x'), 'postgres://***@db/x');
  const rules = [{ match: { header: { 'x-api-key': 'geheim', 'x-tone': 'dark' } }, version: '2' }];
  t.equal(
    shownValue(['models', 'm', 'route', 'rules'], rules),
    '[{"match":{"header":{"x-api-key":"***","x-tone":"dark"}},"version":"2"}]',
  );
});

t.test('a value is one short line that obeys no terminal', async (t) => {
  t.equal(
    shownValue(['server', 'name'], 'a\u001b[2J\n\u009b\u202eb'),
    '"a\\u001b[2J\\n\\u009b\\u202eb"',
  );
  t.equal(shownValue(['server', 'name'], 'x'.repeat(1_000)).length, 120);
});

t.test('what is read from the running configuration follows a reload', async (t) => {
  const config = new RunningConfig(configOf(aSource('server: { name: before }')));
  const { server } = config;
  config.replace(configOf(aSource('server: { name: after }')));
  t.equal(config.server.name, 'after');
  t.equal(server.name, 'before', 'what was taken from it does not');
});

t.test('a pipe in the place of the file blocks no reader', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'understudy-config-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const path = join(root, 'understudy.yaml');
  await writeFile(path, 'apiVersion: understudy/v1\n');
  const file = new ConfigFile(path);
  t.match(await file.readFirst(), { file: path });
  await rm(path);
  makeFifo(path);
  await t.rejects(file.read(), { message: /expected a readable file: expected a regular file/ });
});
