import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  addInitialiser,
  addNode,
  floats,
  newModel,
  writeModel,
} from '../../src/repository/onnx-writer.ts';
import { understudy } from '../support/command.ts';
import { until } from '../support/until.ts';
import { type Place, RunningGateway } from './a-gateway.ts';
import { hostLabelOf } from './processes.ts';

/** The right class is 0. The fourth input is a number between 0 and 1: from `wrongFrom` on, the answer is wrong. */
function aModelWrongFrom(wrongFrom: number): Uint8Array {
  const { graph, ...rest } = newModel({
    name: 'wrong-from',
    inputs: [{ name: 'x', dtype: 'FP32', shape: [-1, 4] }],
    outputs: [{ name: 'scores', dtype: 'FP32', shape: [-1, 3] }],
  });
  addInitialiser(graph, floats('first', [4, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]));
  addInitialiser(graph, floats('last', [4, 1], [0, 0, 0, 1]));
  addInitialiser(graph, floats('limit', [1], [wrongFrom]));
  addNode(graph, { op: 'MatMul', inputs: ['x', 'first'], outputs: ['raw'] });
  addNode(graph, { op: 'MatMul', inputs: ['x', 'last'], outputs: ['draw'] });
  addNode(graph, { op: 'Sub', inputs: ['limit', 'draw'], outputs: ['left'] });
  addNode(graph, { op: 'Sign', inputs: ['left'], outputs: ['sign'] });
  addNode(graph, { op: 'Mul', inputs: ['raw', 'sign'], outputs: ['scores'] });
  return writeModel({ graph, ...rest });
}

/** Each is wrong in a quarter more of the answers than the one before, which is less than the margin. */
const VERSIONS = { 1: 2, 2: 0.75, 3: 0.5 };
const MARGIN = 0.3;

type Teardown = { readonly teardown: (work: () => unknown) => void };

async function aPlace(t: Teardown): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), 'understudy-anchor-'));
  t.teardown(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));
  for (const [version, wrongFrom] of Object.entries(VERSIONS)) {
    const folder = join(root, 'models', 'fashion', version);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'model.yaml'), 'task: classification\n');
    await writeFile(join(folder, 'model.onnx'), aModelWrongFrom(wrongFrom));
  }
  const config = join(root, 'understudy.yaml');
  await writeFile(
    config,
    `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0 }
repository: ./models
ledger: ./ledger
models:
  fashion:
    queue: { deadlineMs: 20000 }
    labels: { window: 1s, selection: random }
    route: { stable: "1" }
    rollout:
      intent: improve
      margins: { labelledLoss: ${MARGIN} }
      steps:
        - setMirror: { percentage: 100, twin: 0 }
        - analysis: { metrics: [labelledLoss, pairedErrors] }
        - promote
`,
  );
  return { root, config, ledger: join(root, 'ledger') };
}

/** Sends a request like no other and the label of its answer. */
async function sendLabelled({ httpPort }: RunningGateway, draw: number): Promise<void> {
  const data = [1, 0.5, 0.2 + draw / 1_000, draw];
  const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data }] };
  const host = `http://127.0.0.1:${httpPort}`;
  const answer = await fetch(`${host}/v2/models/fashion/infer`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  const token = answer.headers.get('x-understudy-feedback');
  await fetch(`${host}/v1/feedback`, { method: 'POST', body: JSON.stringify({ token, label: 0 }) });
}

function rollout(gateway: RunningGateway, ...words: readonly string[]) {
  return understudy(['rollout', ...words, '--admin', gateway.adminUrl]);
}

t.test(
  'allowed loss adds up against the anchor, over a restart, and does not start again at each promotion',
  { timeout: 150_000 },
  async (t) => {
    const place = await aPlace(t);
    const first = await RunningGateway.start(t, place);
    t.equal((await rollout(first, 'start', 'fashion', '2')).code, 0);
    await until('the mirror runs', async () => (await first.status()).step?.number === 2);
    t.match((await first.status()).anchor, { version: '1', by: 'first' });
    const promoted = await rollout(first, 'promote', 'fashion', '--reason', 'within the margin');
    t.equal(promoted.code, 0, promoted.stderr);
    first.kill('SIGTERM');
    await first.ended;

    const second = await RunningGateway.start(t, place);
    const started = await rollout(second, 'start', 'fashion', '3');
    t.equal(started.code, 0, started.stderr);
    await until('the anchor answers beside the shadow host', async () => {
      return (await second.status()).anchor?.held?.state?.kind === 'ready';
    });
    t.equal(second.shadows().filter((pid) => hostLabelOf(pid) === 'fashion/1 anchor').length, 1);
    let sent = 0;
    await until('it is refused', async () => {
      for (let each = 0; each < 20; each += 1, sent += 1)
        await sendLabelled(second, ((sent * 37) % 101) / 101);
      return (await second.status()).phase === 'rolledBack';
    });
    const status = await second.status();
    t.same(status.decidedBy, ['anchorLoss'], status.why);
    const [against, fresh] = ['anchorLoss', 'labelledLoss'].map((name) =>
      status.metrics.find(({ metric }) => metric === name),
    );
    t.ok((against?.estimate ?? 0) > MARGIN && (fresh?.estimate ?? 1) < MARGIN);
    t.match(against?.margin, /mean loss minus that of anchor 1 < 0\.3/);
    await until('it goes with the shadow host', () => second.shadows().length === 0);

    await rename(join(place.root, 'models/fashion/1'), join(place.root, 'away'));
    const lost = await rollout(second, 'start', 'fashion', '3');
    t.equal(lost.code, 1);
    t.match(
      lost.stderr,
      /version 1: its files changed since they were read: its folder is gone\. Put them back/,
    );
    const named = await rollout(second, 'anchor', 'fashion', '2', '--reason', 'version 1 is gone');
    t.equal(named.code, 0, named.stderr);
    const replayed = await understudy(['evidence', 'replay', place.ledger]);
    t.equal(replayed.code, 0, replayed.stdout);
  },
);
