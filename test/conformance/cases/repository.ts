/** The model repository extension: index, load, unload, a model that is sent along. */
import { type Bench, type Case, type Finding, fail, judged, pass, skip } from '../case.ts';
import { grpcCase, isCode, isMessage, listIn } from '../kinds/grpc.ts';
import { all, httpCase, isRefusal, isStatus } from '../kinds/http.ts';
import { MODEL } from '../model-names.ts';
import { loadableOnnx } from '../models.ts';
import { REPOSITORY } from '../references.ts';
import type { Message } from '../wire/grpc.ts';
import type { HttpAnswer } from '../wire/http.ts';
import { describeReply, type InferWire } from '../wire/infer-call.ts';
import { isArray, isObject, type JsonObject } from '../wire/json.ts';
import { difference, tensor } from '../wire/tensor.ts';

const repository = {
  section: 'repository',
  level: 'extension',
  extension: 'model_repository',
  reference: REPOSITORY,
  models: [MODEL.loadable],
} as const;

/** A model that no repository holds: it comes with the call that loads it. */
const SENT = 'oip_sent';

export function repositoryCases(): readonly Case[] {
  return [...indexCases(), ...controlCases(), ...refusedCases()];
}

/** How one wire controls models; an undefined answer means that it went well. */
type Control = {
  readonly infer: InferWire;
  readonly load: (model: string, parameters?: LoadParameters) => Promise<string | undefined>;
  readonly unload: (model: string) => Promise<string | undefined>;
  readonly isReady: (model: string) => Promise<boolean>;
};

type LoadParameters = {
  readonly config?: string;
  readonly files?: Readonly<Record<string, Uint8Array>>;
};

/** What a server says that has control over models switched off. */
const NOT_ALLOWED = /not allowed|not enabled|polling|disabled/i;

function httpControl({ http }: Bench): Control {
  const post = async (model: string, verb: string, body: object) =>
    problemOf(
      await http.send({
        method: 'POST',
        path: `/v2/repository/models/${model}/${verb}`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    );
  return {
    infer: 'rest-binary',
    load: (model, { config, files = {} } = {}) => {
      const sent = Object.entries(files).map(([path, bytes]) => [
        `file:${path}`,
        Buffer.from(bytes).toString('base64'),
      ]);
      return post(model, 'load', {
        parameters: { ...(config !== undefined && { config }), ...Object.fromEntries(sent) },
      });
    },
    unload: (model) => post(model, 'unload', {}),
    isReady: async (model) =>
      (await http.send({ path: `/v2/models/${model}/ready` })).status === 200,
  };
}

function problemOf(answer: HttpAnswer): string | undefined {
  return answer.status === 200 ? undefined : `${answer.status} ${answer.body.toString('utf8')}`;
}

function grpcControl({ grpc }: Bench): Control {
  const call = async (method: string, message: Message) => {
    const reply = await grpc.call(method, message);
    return reply.kind === 'answer' ? undefined : `${reply.code} ${reply.message}`;
  };
  return {
    infer: 'grpc-raw',
    load: (model, { config, files = {} } = {}) => {
      const sent = Object.entries(files).map(([path, bytes]) => [
        `file:${path}`,
        { bytes_param: Buffer.from(bytes) },
      ]);
      const parameters = {
        ...(config !== undefined && { config: { string_param: config } }),
        ...Object.fromEntries(sent),
      };
      return call('RepositoryModelLoad', { model_name: model, parameters });
    },
    unload: (model) => call('RepositoryModelUnload', { model_name: model }),
    isReady: async (model) => {
      const reply = await grpc.call('ModelReady', { name: model });
      return reply.kind === 'answer' && reply.message['ready'] === true;
    },
  };
}

function indexCases(): readonly Case[] {
  const post = (body: string) => ({ method: 'POST', path: '/v2/repository/index', body }) as const;
  const entry = (json: unknown): JsonObject | undefined =>
    Array.isArray(json)
      ? json.filter(isObject).find(({ name }) => name === MODEL.loadable)
      : undefined;
  const isListed = ({ json }: HttpAnswer) => {
    const found = entry(json);
    return found?.['state'] === 'READY' && typeof found['version'] === 'string'
      ? undefined
      : `a list with {"name":"${MODEL.loadable}","version":"1","state":"READY"}`;
  };
  return [
    httpCase({
      ...{ ...repository, id: 'repository.http.index' },
      claim: 'the index lists models with version and state',
      request: post('{}'),
      check: all(isStatus(200), isListed),
    }),
    httpCase({
      ...{ ...repository, id: 'repository.http.index.empty' },
      claim: 'the index needs no body',
      request: post(''),
      check: all(isStatus(200), isListed),
    }),
    httpCase({
      ...{ ...repository, id: 'repository.http.index.ready' },
      claim: 'asked for what is ready, the index lists nothing else',
      request: post('{"ready":true}'),
      check: all(isStatus(200), isListed, ({ json }) =>
        isArray(json) && json.every((each) => isObject(each) && each['state'] === 'READY')
          ? undefined
          : 'only entries of "state":"READY"',
      ),
    }),
    httpCase({
      ...{ ...repository, id: 'repository.http.index.verb' },
      claim: 'GET of the index is not allowed',
      request: { path: '/v2/repository/index' },
      check: isStatus(405),
    }),
    grpcCase({
      ...{ ...repository, id: 'repository.grpc.index', method: 'RepositoryIndex' },
      claim: 'the index lists models with version and state',
      message: { ready: true },
      check: isMessage((message) => {
        const found = listIn(message, 'models').find(({ name }) => name === MODEL.loadable);
        return found?.['state'] === 'READY' && found['version']
          ? undefined
          : `models with ${MODEL.loadable}, its version and READY`;
      }),
    }),
  ];
}

function controlCases(): readonly Case[] {
  const wires = [
    ['http', httpControl],
    ['grpc', grpcControl],
  ] as const;
  return wires.flatMap(([wire, controlOf]): readonly Case[] => [
    {
      ...{ ...repository, id: `repository.${wire}.unload-load`, wires: [wire] },
      claim: 'an unloaded model is not ready and refuses; loaded again, it answers',
      run: (bench) => unloadAndLoad(bench, controlOf(bench)),
    },
    {
      ...{ ...repository, id: `repository.${wire}.load-again`, wires: [wire] },
      claim: 'a loaded model may be loaded again and answers meanwhile and after',
      run: (bench) => loadAgain(bench, controlOf(bench)),
    },
    {
      ...{ ...repository, id: `repository.${wire}.load-sent`, wires: [wire], models: [] },
      claim: 'a model may be sent along with the call that loads it',
      run: (bench) => loadSent(bench, controlOf(bench)),
    },
    {
      ...{ ...repository, id: `repository.${wire}.load-outside`, wires: [wire], models: [] },
      claim: 'a file that is to lie outside of the model is refused',
      run: (bench) => loadOutside(controlOf(bench)),
    },
    {
      ...{ ...repository, id: `repository.${wire}.load-unknown`, wires: [wire], models: [] },
      claim: 'loading a model that there is not is refused with "failed to load"',
      run: (bench) => loadUnknown(controlOf(bench)),
    },
  ]);
}

async function unloadAndLoad(bench: Bench, control: Control): Promise<Finding> {
  const model = MODEL.loadable;
  const request = `unload ${model}, then load it`;
  const refused = await control.unload(model);
  if (refused !== undefined) return unwilling(request, refused);
  if (await control.isReady(model)) {
    return fail({ request, expected: 'not ready once it is unloaded', found: 'ready' });
  }
  const inference = await negate(bench, control, model);
  if (inference === undefined) {
    return fail({ request, expected: 'no inferences once it is unloaded', found: 'an answer' });
  }
  const wrong = (await control.load(model)) ?? (await negate(bench, control, model));
  return judged(
    request,
    wrong === undefined ? undefined : { expected: 'it answers', found: wrong },
  );
}

async function loadAgain(bench: Bench, control: Control): Promise<Finding> {
  const model = MODEL.loadable;
  const request = `load ${model}, which is loaded`;
  const loading = control.load(model);
  const meanwhile = await negate(bench, control, model);
  const refused = await loading;
  if (refused !== undefined) return unwilling(request, refused);
  const wrong = meanwhile ?? (await negate(bench, control, model));
  return judged(
    request,
    wrong === undefined ? undefined : { expected: 'it answers', found: wrong },
  );
}

const SENT_CONFIG = JSON.stringify({
  ...{ name: SENT, platform: 'onnxruntime_onnx', backend: 'onnxruntime', max_batch_size: 0 },
  input: [{ name: 'INPUT0', data_type: 'TYPE_FP32', dims: [2] }],
  output: [{ name: 'OUTPUT0', data_type: 'TYPE_FP32', dims: [2] }],
});

async function loadSent(bench: Bench, control: Control): Promise<Finding> {
  const request = `load ${SENT} with config and file:1/model.onnx`;
  const files = { '1/model.onnx': loadableOnnx() };
  const refused = await control.load(SENT, { config: SENT_CONFIG, files });
  if (refused !== undefined) return unwilling(request, refused);
  const wrong = await negate(bench, control, SENT);
  await control.unload(SENT);
  return judged(
    request,
    wrong === undefined ? undefined : { expected: 'it answers', found: wrong },
  );
}

async function loadOutside(control: Control): Promise<Finding> {
  const path = '../oip_outside/1/model.onnx';
  const refused = await control.load(SENT, {
    config: SENT_CONFIG,
    files: { [path]: loadableOnnx() },
  });
  if (refused !== undefined) return pass();
  await control.unload(SENT);
  return fail({
    request: `load ${SENT} with file:${path}`,
    expected: 'a refusal',
    found: 'loaded',
  });
}

async function loadUnknown(control: Control): Promise<Finding> {
  const request = 'load no-such-model';
  const refused = await control.load('no-such-model');
  if (refused !== undefined && NOT_ALLOWED.test(refused)) return unwilling(request, refused);
  if (refused !== undefined && /failed to load/.test(refused)) return pass();
  return fail({ request, expected: 'a refusal with "failed to load"', found: refused ?? 'loaded' });
}

/** A server that does not let callers control models cannot show how it would. */
function unwilling(request: string, found: string): Finding {
  if (NOT_ALLOWED.test(found)) return skip(`control over models is switched off: ${found}`);
  return fail({ request, expected: 'success', found });
}

/** What is wrong with an inference of a model that negates; undefined where it answers rightly. */
async function negate(bench: Bench, control: Control, model: string): Promise<string | undefined> {
  const values = [1.5, -2];
  const input = tensor('INPUT0', { datatype: 'FP32', shape: [2], values });
  const reply = await bench.infer[control.infer]({ model, inputs: [input] });
  if (reply.kind !== 'answer') return describeReply(reply);
  const output = { datatype: 'FP32', shape: [2], values: values.map((value) => -value) } as const;
  return difference(tensor('OUTPUT0', output), reply.answer.outputs[0]);
}

function refusedCases(): readonly Case[] {
  return [
    httpCase({
      ...{ ...repository, id: 'repository.http.load.malformed' },
      claim: 'a body that is no JSON is refused',
      request: {
        method: 'POST',
        path: `/v2/repository/models/${MODEL.loadable}/load`,
        body: '{"parameters":',
      },
      check: isRefusal(400, 503),
    }),
    httpCase({
      ...{ ...repository, id: 'repository.http.load.config' },
      claim: 'a configuration that is no JSON is refused, and the model stays as it is',
      request: {
        method: 'POST',
        path: `/v2/repository/models/${MODEL.loadable}/load`,
        body: '{"parameters":{"config":"{ not json"}}',
      },
      check: isRefusal(400, 500, 503),
    }),
    httpCase({
      ...{ ...repository, id: 'repository.http.unload.unknown', models: [] },
      claim: 'unloading a model that there is not is refused, or changes nothing',
      request: { method: 'POST', path: '/v2/repository/models/no-such-model/unload', body: '{}' },
      check: isStatus(200, 400, 404, 503),
    }),
    httpCase({
      ...{ ...repository, id: 'repository.http.load.verb' },
      claim: 'GET of a load is not allowed',
      request: { path: `/v2/repository/models/${MODEL.loadable}/load` },
      check: isStatus(405),
    }),
    grpcCase({
      ...{ ...repository, id: 'repository.grpc.load.config', method: 'RepositoryModelLoad' },
      claim: 'a configuration that is no JSON is refused, and the model stays as it is',
      message: {
        model_name: MODEL.loadable,
        parameters: { config: { string_param: '{ not json' } },
      },
      check: isCode('INVALID_ARGUMENT', 'INTERNAL', 'UNAVAILABLE'),
    }),
  ];
}
