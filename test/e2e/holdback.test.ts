import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import {
  addInitialiser,
  addNode,
  floats,
  newModel,
  writeModel,
} from '../../src/repository/onnx-writer.ts';
import type { RolloutStatus } from '../../src/rollout/status.ts';
import { anIdentityModel } from '../support/a-model-file.ts';
import { until } from '../support/until.ts';
import { type Place, RunningGateway } from './a-gateway.ts';
import { childrenOf, hostLabelOf } from './processes.ts';

const TIME = { timeout: 180_000 };
/** The value that version 2 fails on. */
const BAD = 7;

/** Gives back what it gets, and NaN for BAD: 0 / 0. */
function aNanModel(): Uint8Array {
  const x = { name: 'x', dtype: 'FP32', shape: [-1, 2] } as const;
  const model = newModel({ name: 'm', inputs: [x], outputs: [{ ...x, name: 'y' }] });
  addInitialiser(model.graph, floats('bad', [1], [BAD]));
  addNode(model.graph, { op: 'Sub', inputs: ['x', 'bad'], outputs: ['apart'] });
  addNode(model.graph, { op: 'Div', inputs: ['apart', 'apart'], outputs: ['one'] });
  addNode(model.graph, { op: 'Mul', inputs: ['x', 'one'], outputs: ['y'] });
  return writeModel(model);
}

async function aPlace(t: { teardown: (work: () => unknown) => void }): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), 'understudy-holdback-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  for (const [version, bytes] of [anIdentityModel('FP32'), aNanModel()].entries()) {
    const file = join(root, 'models', 'm', `${version + 1}`, 'model.onnx');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
  const config = join(root, 'understudy.yaml');
  const free = '127.0.0.1:0';
  await writeFile(
    config,
    `apiVersion: understudy/v1
server: ${JSON.stringify({ http: free, grpc: free, admin: free })}
repository: ./models
ledger: ./ledger
models:
  m:
    queue: { deadlineMs: 20000 }
    route: { stable: "1" }
    rollout:
      errorBudget: { falseRollback: 0.5 }   # in a hurry
      steps:
        - setMirror: { percentage: 100, twin: 100 }
        - analysis: { metrics: [pairedErrors] }
        - promote: { holdback: { percent: 30, for: 30m } }
`,
  );
  return { root, config, ledger: join(root, 'ledger') };
}

let sent = 0;

/** The versions that answered so many requests; rejects where one is not answered. */
async function ask(gateway: RunningGateway, count: number, bad = count + 1) {
  const versions = new Set<string>();
  for (let at = 1; at <= count; at += 1) {
    sent += 1;
    const data = [-sent, at % bad === 0 ? BAD : 1];
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2], data }];
    const answer = await fetch(`http://127.0.0.1:${gateway.httpPort}/v2/models/m/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ inputs }),
    });
    // JSON.parse would stumble over NaN.
    const text = await answer.text();
    const version = /"model_version":"(\d+)"/.exec(text)?.[1];
    if (version === undefined) throw new Error(text);
    versions.add(version);
  }
  return [...versions].sort();
}

async function statusOf(gateway: RunningGateway): Promise<RolloutStatus> {
  const answer = await fetch(`${gateway.adminUrl}/api/v1/models/m/rollout`);
  return (await answer.json()) as RolloutStatus;
}

async function command(gateway: RunningGateway, verb: string, body: object): Promise<number> {
  const answer = await fetch(`${gateway.adminUrl}/api/v1/models/m/rollout${verb}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** A rollout that an operator promotes, so that its holdback begins. */
async function toHoldback(gateway: RunningGateway): Promise<void> {
  await command(gateway, '', { candidate: '2' });
  await until('it progresses', async () => (await statusOf(gateway)).phase === 'progressing');
  await command(gateway, '/promote', { reason: 'seen enough' });
  await until('both versions answer', async () => (await ask(gateway, 8)).join() === '1,2');
}

const REASON = { reason: 'a test' };

t.test('a candidate that turns worse after its promotion is undone', TIME, async (t) => {
  const gateway = await RunningGateway.start(t, await aPlace(t));
  await toHoldback(gateway);
  t.match(await statusOf(gateway), { phase: 'holdback', setWeightBp: 7_000 });
  t.match(await (await fetch(`${gateway.adminUrl}/metrics`)).text(), /phase="holdback"} 1/);
  const status = await until(
    'it is undone',
    async () => {
      await ask(gateway, 20, 5);
      const seen = await statusOf(gateway);
      return seen.endedMs !== undefined && seen;
    },
    120_000,
  );
  t.match(status, {
    phase: 'rolledBack',
    decidedBy: ['errors'],
    why: /^proven worse after the promotion: errors/,
  });
  t.same(await ask(gateway, 20, 5), ['1']);
});

t.test('a holdback outlives the gateway and the former version', TIME, async (t) => {
  const place = await aPlace(t);
  const first = await RunningGateway.start(t, place);
  await toHoldback(first);
  const before = await statusOf(first);
  first.signalGroup('SIGKILL');
  await first.ended;

  const gateway = await RunningGateway.start(t, place);
  await until('both versions answer', async () => (await ask(gateway, 8)).join() === '1,2');
  t.same((await statusOf(gateway)).holdback, before.holdback);

  const former = childrenOf(gateway.pid).find(({ pid }) => hostLabelOf(pid)?.startsWith('m/1'));
  process.kill(former?.pid ?? 0, 'SIGKILL');
  await t.resolves(ask(gateway, 20), 'the new version answers in its place');
  await until('the former one is back', async () => (await ask(gateway, 8)).join() === '1,2');

  t.equal(await command(gateway, '/promote', REASON), 200);
  await until('it is final', async () => (await statusOf(gateway)).phase === 'promoted');
  t.same(await ask(gateway, 20), ['2']);
  t.equal(await command(gateway, '/undo', REASON), 200);
  t.same(await ask(gateway, 20), ['1']);
  t.match(await statusOf(gateway), { phase: 'rolledBack', decidedBy: ['undo'], why: 'a test' });
});
