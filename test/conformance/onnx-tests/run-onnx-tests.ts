import { type Finding, skip } from '../case.ts';
import { startOwnGateway } from '../own-gateway.ts';
import { type Connection, connect, type Result, runCases, type Target } from '../run-cases.ts';
import { isArray, isObject } from '../wire/json.ts';
import { type OnnxTest, writeTestModel } from './find-tests.ts';
import { onnxCase } from './onnx-case.ts';

/** Models that a gateway of ours holds at one time: each has a thread with a runtime in it. */
const GROUP_MODELS = 40;

/** Runs tests on gateways of our own, one after the other, each with a group of the models. */
export async function runOnOwnGateways(
  tests: readonly OnnxTest[],
  onResult: (result: Result) => void,
): Promise<void> {
  for (let at = 0; at < tests.length; at += GROUP_MODELS) {
    const group = tests.slice(at, at + GROUP_MODELS);
    const gateway = await startOwnGateway(async (repository) => {
      for (const test of group) await writeTestModel(repository, test);
      return group.map(({ model }) => model);
    });
    try {
      const connection = await connect(gateway);
      await runGroup(group, connection, onResult);
      connection.close();
    } finally {
      await gateway.close();
    }
  }
}

/** Runs tests on a server that has the models, or can load them from its repository. */
export async function runOnServer(
  tests: readonly OnnxTest[],
  target: Target,
  onResult: (result: Result) => void,
): Promise<void> {
  const connection = await connect(target);
  for (const test of tests) {
    const wasReady = await connection.isReady(test.model);
    if (!wasReady) await control(connection, test.model, 'load');
    await runGroup([test], connection, onResult);
    if (!wasReady) await control(connection, test.model, 'unload');
  }
  connection.close();
}

/** Models that the server could not load are skipped with the reason that its index gives. */
async function runGroup(
  group: readonly OnnxTest[],
  connection: Connection,
  onResult: (result: Result) => void,
): Promise<void> {
  const reasons = await unavailable(connection);
  const cases = group.map(onnxCase).map((each) => {
    const reason = each.models.map((model) => reasons.get(model)).find(Boolean);
    if (reason === undefined) return each;
    const refused = async (): Promise<Finding> => skip(`not loaded: ${withoutPlace(reason)}`);
    return { ...each, models: [], run: refused };
  });
  await runCases(cases, connection, onResult);
}

/** The reason without what is particular to the model or the machine, so that equal reasons are one line of the card. */
function withoutPlace(reason: string): string {
  const [line = ''] = reason.split('\n');
  return line.replaceAll(/\S*\/(\S+\.onnx)/g, '$1').replace(/^onnx_\w+ version \d+: /, '');
}

/** Why models are not ready, from the index of the repository. */
async function unavailable({
  http,
  grpc,
  target,
}: Connection): Promise<ReadonlyMap<string, string>> {
  const reasons = new Map<string, string>();
  const note = (name: unknown, state: unknown, reason: unknown): void => {
    if (state !== 'READY' && typeof reason === 'string' && reason !== '')
      reasons.set(String(name), reason);
  };
  if (target.http !== undefined) {
    const { json } = await http.send({ method: 'POST', path: '/v2/repository/index', body: '{}' });
    const entries = isArray(json) ? json.filter((each) => isObject(each)) : [];
    for (const { name, state, reason } of entries) note(name, state, reason);
    return reasons;
  }
  const reply = await grpc.call('RepositoryIndex');
  const models = reply.kind === 'answer' ? reply.message['models'] : [];
  for (const { name, state, reason } of Array.isArray(models) ? models : [])
    note(name, state, reason);
  return reasons;
}

async function control(
  { http, grpc, target }: Connection,
  model: string,
  verb: 'load' | 'unload',
): Promise<void> {
  if (target.http === undefined) {
    await grpc.call(verb === 'load' ? 'RepositoryModelLoad' : 'RepositoryModelUnload', {
      model_name: model,
    });
    return;
  }
  await http.send({ method: 'POST', path: `/v2/repository/models/${model}/${verb}`, body: '{}' });
}
