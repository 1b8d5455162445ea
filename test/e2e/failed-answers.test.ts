import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import {
  addInitialiser,
  addNode,
  floats,
  newModel,
  writeModel,
} from '../../src/repository/onnx-writer.ts';
import type { RolloutStatus } from '../../src/rollout/status.ts';
import { onnxRuntime } from '../../src/runtime/onnx.ts';
import { aModelFile, anIdentityModel } from '../support/a-model-file.ts';
import { anOnnxSource } from '../support/a-source.ts';
import { aTensor } from '../support/a-tensor.ts';
import { until } from '../support/until.ts';
import { RunningGateway } from './a-gateway.ts';

const TIME = { timeout: 180_000 };
const DEADLINE_MS = 300;
/** The value that the candidates fail on. */
const BAD = 7;

const X = { name: 'x', dtype: 'FP32', shape: [-1, 2] } as const;

function aModel(build: (graph: ReturnType<typeof newModel>['graph']) => void): Uint8Array {
  const model = newModel({ name: 'm', inputs: [X], outputs: [{ ...X, name: 'y' }] });
  build(model.graph);
  return writeModel(model);
}

/** Gives back what it gets, and NaN for BAD: 0 / 0. */
function aNanModel(): Uint8Array {
  return aModel((graph) => {
    addInitialiser(graph, floats('bad', [1], [BAD]));
    addNode(graph, { op: 'Sub', inputs: ['x', 'bad'], outputs: ['apart'] });
    addNode(graph, { op: 'Div', inputs: ['apart', 'apart'], outputs: ['one'] });
    addNode(graph, { op: 'Mul', inputs: ['x', 'one'], outputs: ['y'] });
  });
}

/** Gives back what it gets, after a product of matrices of as many rows as the largest value, squared, says. */
function aSlowModel(): Uint8Array {
  return aModel((graph) => {
    const attributes = { keepdims: { int: 0 } };
    addInitialiser(graph, floats('one', [1], [1]));
    addNode(graph, { op: 'ReduceMax', inputs: ['x'], outputs: ['most'], attributes });
    addNode(graph, { op: 'Max', inputs: ['most', 'one'], outputs: ['rows'] });
    addNode(graph, {
      op: 'Cast',
      inputs: ['rows'],
      outputs: ['size'],
      attributes: { to: { int: 7 } },
    });
    addNode(graph, {
      op: 'Concat',
      inputs: ['size', 'size'],
      outputs: ['shape'],
      attributes: { axis: { int: 0 } },
    });
    addNode(graph, { op: 'ConstantOfShape', inputs: ['shape'], outputs: ['zeros'] });
    addNode(graph, { op: 'MatMul', inputs: ['zeros', 'zeros'], outputs: ['product'] });
    addNode(graph, { op: 'ReduceMax', inputs: ['product'], outputs: ['nothing'], attributes });
    addNode(graph, { op: 'Add', inputs: ['x', 'nothing'], outputs: ['y'] });
  });
}

/** The value on which the slow model takes several times the deadline on this machine. */
async function aSlowValue(bytes: Uint8Array): Promise<number> {
  const model = await onnxRuntime.open(anOnnxSource(aModelFile(bytes)));
  const rows = 800;
  let leastMs = Number.POSITIVE_INFINITY;
  for (let time = 0; time < 5; time += 1) {
    const startedMs = performance.now();
    await model.run([aTensor([rows, 1], { shape: [1, 2] })]);
    leastMs = Math.min(leastMs, performance.now() - startedMs);
  }
  await model.close();
  return Math.round(rows * Math.cbrt((3 * DEADLINE_MS) / leastMs));
}

/** A gateway with a model `m` of two versions. */
async function aGateway(t: Test, stable: Uint8Array, candidate: Uint8Array) {
  const root = await mkdtemp(join(tmpdir(), 'understudy-failed-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  for (const [version, bytes] of [stable, candidate].entries()) {
    const file = join(root, 'models', 'm', `${version + 1}`, 'model.onnx');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
  const config = join(root, 'understudy.yaml');
  const free = '127.0.0.1:0';
  const server = JSON.stringify({ http: free, grpc: free, admin: free });
  await writeFile(
    config,
    `apiVersion: understudy/v1\nserver: ${server}\nrepository: ./models\nledger: ./ledger\n` +
      `models: { m: { queue: { deadlineMs: ${DEADLINE_MS} }, route: { stable: "1" } } }\n`,
  );
  return RunningGateway.start(t, { root, config, ledger: join(root, 'ledger') });
}

/** The number makes it like no other: the same bytes again would be no new evidence. */
async function ask(gateway: RunningGateway, number: number, value: number): Promise<number> {
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [-number, value] }];
  const answer = await fetch(`http://127.0.0.1:${gateway.httpPort}/v2/models/m/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

async function statusOf(gateway: RunningGateway): Promise<RolloutStatus> {
  const answer = await fetch(`${gateway.adminUrl}/api/v1/models/m/rollout`);
  return (await answer.json()) as RolloutStatus;
}

async function begin(gateway: RunningGateway, rollout: object): Promise<void> {
  const answer = await fetch(`${gateway.adminUrl}/api/v1/models/m/rollout`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    // In a hurry: the proof that a candidate is worse may be wrong in every second rollout.
    body: JSON.stringify({ candidate: '2', errorBudget: { falseRollback: 0.5 }, ...rollout }),
  });
  t.equal(answer.status, 202, answer.ok ? '' : await answer.text());
  await until('it progresses', async () => (await statusOf(gateway)).phase === 'progressing');
}

const inShadow = (pairedErrors: number) => ({
  margins: { pairedErrors },
  steps: [
    { setMirror: { percentage: 100, twin: 100 } },
    { analysis: { metrics: ['pairedErrors'] } },
    { pause: {} },
    { promote: {} },
  ],
});

/** Every so many requests has the bad value. Sends a few at a time, until a status says that it is enough. */
async function traffic(
  gateway: RunningGateway,
  { every, bad }: { readonly every: number; readonly bad: number },
  isEnough: (status: RolloutStatus) => boolean,
): Promise<RolloutStatus> {
  let sent = 0;
  return until(
    'a decision',
    async () => {
      for (let round = 0; round < 8; round += 1) {
        const values = Array.from({ length: 8 }, () => {
          sent += 1;
          return [sent, sent % every === 0 ? bad : 1] as const;
        });
        await Promise.all(values.map((value) => ask(gateway, ...value)));
      }
      const status = await statusOf(gateway);
      return isEnough(status) && status;
    },
    150_000,
  );
}

const hasEnded = ({ endedMs }: RolloutStatus): boolean => endedMs !== undefined;

t.test(
  'a candidate that answers NaN to 0.4 % of the requests is refused in shadow',
  TIME,
  async (t) => {
    const gateway = await aGateway(t, anIdentityModel('FP32'), aNanModel());
    await begin(gateway, inShadow(0.0005));
    const status = await traffic(gateway, { every: 250, bad: BAD }, hasEnded);
    t.equal(status.phase, 'rolledBack');
    t.same(status.decidedBy, ['pairedErrors']);
    t.same(status.failures?.reference, {});
    const { nonFinite = 0, ...others } = status.failures?.candidate ?? {};
    // Three of 750 are beyond 0.05 %: of candidates that keep to it, 6 in 1,000 have as many.
    t.ok(nonFinite >= 3, `${nonFinite}`);
    t.same(others, {});
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    t.match(
      metrics,
      /rollout_failures_total\{model="m",version="2",arm="candidate",kind="nonFinite"\} \d/,
    );
  },
);

t.test('a version that answers NaN as stable does is not worse', TIME, async (t) => {
  const gateway = await aGateway(t, aNanModel(), aNanModel());
  await begin(gateway, inShadow(0.02));
  const status = await traffic(
    gateway,
    { every: 10, bad: BAD },
    ({ phase, endedMs }) => endedMs !== undefined || phase === 'paused',
  );
  t.equal(status.phase, 'paused', 'it waits for a manual promotion');
  t.match(status.metrics, [{ metric: 'pairedErrors', candidateEvents: 0, referenceEvents: 0 }]);
  t.same(status.failures, { candidate: {}, reference: {} });
});

t.test(
  'a candidate that answers NaN is refused in canary, where nothing is mirrored',
  TIME,
  async (t) => {
    const gateway = await aGateway(t, anIdentityModel('FP32'), aNanModel());
    await begin(gateway, {
      steps: [
        { setWeight: { percent: 50 } },
        { analysis: { metrics: ['errors'] } },
        { promote: {} },
      ],
    });
    const status = await traffic(gateway, { every: 9, bad: BAD }, hasEnded);
    t.equal(status.phase, 'rolledBack');
    t.same(status.decidedBy, ['errors']);
    t.ok((status.failures?.candidate.nonFinite ?? 0) > 0);
  },
);

t.test('a candidate that hangs on some requests is refused in shadow', TIME, async (t) => {
  const slow = aSlowModel();
  const bad = await aSlowValue(slow);
  const gateway = await aGateway(t, anIdentityModel('FP32'), slow);
  await begin(gateway, inShadow(0.005));
  const status = await traffic(gateway, { every: 12, bad }, hasEnded);
  t.equal(status.phase, 'rolledBack');
  t.same(status.decidedBy, ['pairedErrors']);
  // A busy machine may delay a run of the twin as well.
  const [candidate = 0, twin = 0] = [
    status.failures?.candidate.timeout,
    status.failures?.reference.timeout,
  ];
  t.ok(
    candidate >= 4 && candidate > 2 * twin,
    `${candidate} of the candidate, ${twin} of the twin`,
  );
});
