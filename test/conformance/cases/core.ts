/** Health and metadata: what every server of the protocol answers. */
import type { Case } from '../case.ts';
import { grpcCase, isMessage, listIn } from '../kinds/grpc.ts';
import { all, httpCase, isJson, isRefusal, isStatus, isTexts } from '../kinds/http.ts';
import { MODEL } from '../model-names.ts';
import { GRPC, REST } from '../references.ts';
import type { Message } from '../wire/grpc.ts';
import { isArray, isObject, JsonNumber, type JsonObject } from '../wire/json.ts';

const ADD_SUB = MODEL.addSub;

export function coreCases(): readonly Case[] {
  return [...httpCases(), ...versionCases(), ...grpcCases()];
}

function httpCases(): readonly Case[] {
  const section = 'core';
  const model = `/v2/models/${ADD_SUB}`;
  const models = [ADD_SUB];
  const health = `${REST}, "Health"`;
  const metadata = `${REST}, "Model Metadata"`;
  return [
    httpCase({
      ...{ id: 'core.http.live', section, reference: health },
      claim: 'a server that runs says that it is live',
      request: { path: '/v2/health/live' },
      check: isStatus(200),
    }),
    httpCase({
      ...{ id: 'core.http.ready', section, reference: health },
      claim: 'a server whose models are loaded says that it is ready',
      request: { path: '/v2/health/ready' },
      check: isStatus(200),
    }),
    httpCase({
      ...{ id: 'core.http.server-metadata', section, reference: `${REST}, "Server Metadata"` },
      claim: 'server metadata has a name, a version and a list of extensions',
      request: { path: '/v2' },
      check: all(isStatus(200), isJson(wrongServerMetadata)),
    }),
    httpCase({
      ...{ id: 'core.http.server-metadata.slash', section, level: 'recommended' },
      claim: 'server metadata is found with a slash at the end as well: the OpenAPI file has one',
      reference: 'OIP open_inference_rest.yaml, "/v2/"',
      request: { path: '/v2/' },
      check: all(isStatus(200), isJson(wrongServerMetadata)),
    }),
    httpCase({
      ...{ id: 'core.http.model-ready', section, reference: health, models },
      claim: 'a loaded model says that it is ready',
      request: { path: `${model}/ready` },
      check: isStatus(200),
    }),
    httpCase({
      ...{ id: 'core.http.model-ready.unknown', section, reference: health },
      claim: 'an unknown model is not ready',
      request: { path: '/v2/models/oip-no-such-model/ready' },
      check: ({ status }) => (status >= 400 && status < 600 ? undefined : 'an error status'),
    }),
    httpCase({
      ...{ id: 'core.http.model-metadata', section, reference: metadata, models },
      claim: 'model metadata names the inputs and outputs with their datatypes and shapes',
      request: { path: model },
      check: all(isStatus(200), isJson(wrongModelMetadata)),
    }),
    httpCase({
      ...{ id: 'core.http.model-metadata.unknown', section: 'errors', reference: metadata },
      claim: 'metadata of an unknown model is refused',
      request: { path: '/v2/models/oip-no-such-model' },
      check: isRefusal(400, 404),
    }),
    httpCase({
      ...{ id: 'core.http.query', section, level: 'recommended', models },
      claim: 'a query string, which clients may add, changes nothing',
      reference: 'tritonclient.http, query_params',
      request: { path: `${model}/ready?test_1=1&test_2=2` },
      check: isStatus(200),
    }),
    httpCase({
      ...{ id: 'core.http.percent-encoding', section, level: 'recommended', models },
      claim: "a model's name is percent-decoded",
      reference: 'RFC 3986 2.1; tritonclient.http quotes names',
      request: { path: `/v2/models/${ADD_SUB.replace('_', '%5F')}` },
      check: isStatus(200),
    }),
    httpCase({
      ...{ id: 'core.http.json', section, level: 'recommended', models },
      claim: 'metadata is sent as application/json',
      reference: `${REST}, "HTTP/REST"`,
      request: { path: model },
      check: ({ headers }) =>
        headers['content-type']?.startsWith('application/json')
          ? undefined
          : 'content-type application/json',
    }),
  ];
}

function versionCases(): readonly Case[] {
  const section = 'core';
  const model = `/v2/models/${MODEL.versions}`;
  const models = [MODEL.versions];
  const metadata = `${REST}, "Model Metadata"`;
  return [
    httpCase({
      ...{ id: 'core.http.versions', section, level: 'recommended', reference: metadata, models },
      claim: 'metadata without a version lists the versions that can be asked for',
      request: { path: model },
      check: isJson(({ versions }) =>
        isTexts(versions) && ['1', '2'].every((version) => versions.includes(version))
          ? undefined
          : '"versions" with "1" and "2"',
      ),
    }),
    httpCase({
      ...{ id: 'core.http.version-metadata', section, reference: metadata, models },
      claim: 'metadata of one version is found under its own path',
      request: { path: `${model}/versions/1` },
      check: all(
        isStatus(200),
        isJson(({ name }) => (name === MODEL.versions ? undefined : `name ${MODEL.versions}`)),
      ),
    }),
    httpCase({
      ...{ id: 'core.http.version-ready', section, reference: `${REST}, "Health"`, models },
      claim: 'one version says that it is ready',
      request: { path: `${model}/versions/2/ready` },
      check: isStatus(200),
    }),
    httpCase({
      ...{ id: 'core.http.version.unknown', section: 'errors', reference: metadata, models },
      claim: 'metadata of an unknown version is refused',
      request: { path: `${model}/versions/77` },
      check: isRefusal(400, 404),
    }),
  ];
}

function grpcCases(): readonly Case[] {
  const section = 'core';
  const health = `${GRPC}, "Health"`;
  return [
    grpcCase({
      ...{ id: 'core.grpc.live', section, reference: health, method: 'ServerLive' },
      claim: 'a server that runs says that it is live',
      check: isMessage(({ live }) => (live === true ? undefined : 'live: true')),
    }),
    grpcCase({
      ...{ id: 'core.grpc.ready', section, reference: health, method: 'ServerReady' },
      claim: 'a server whose models are loaded says that it is ready',
      check: isMessage(({ ready }) => (ready === true ? undefined : 'ready: true')),
    }),
    grpcCase({
      ...{ id: 'core.grpc.model-ready', section, reference: health, method: 'ModelReady' },
      claim: 'a loaded model says that it is ready',
      models: [ADD_SUB],
      message: { name: ADD_SUB },
      check: isMessage(({ ready }) => (ready === true ? undefined : 'ready: true')),
    }),
    grpcCase({
      ...{ id: 'core.grpc.model-ready.unknown', section, reference: health, method: 'ModelReady' },
      claim: 'an unknown model is not ready',
      message: { name: 'oip-no-such-model' },
      check: (reply) => {
        const isNotReady =
          reply.kind === 'answer' ? reply.message['ready'] === false : reply.code === 'NOT_FOUND';
        return isNotReady ? undefined : 'ready: false, or NOT_FOUND';
      },
    }),
    grpcCase({
      ...{ id: 'core.grpc.server-metadata', section, method: 'ServerMetadata' },
      reference: `${GRPC}, "Server Metadata"`,
      claim: 'server metadata has a name and a version',
      check: isMessage(({ name, version }) =>
        name && typeof version === 'string' ? undefined : 'a name and a version',
      ),
    }),
    grpcCase({
      ...{ id: 'core.grpc.model-metadata', section, method: 'ModelMetadata' },
      reference: `${GRPC}, "Model Metadata"`,
      claim: 'model metadata names the inputs and outputs with their datatypes and shapes',
      models: [ADD_SUB],
      message: { name: ADD_SUB },
      check: isMessage(wrongMetadataMessage),
    }),
    grpcCase({
      ...{ id: 'core.grpc.model-metadata.unknown', section: 'errors', method: 'ModelMetadata' },
      reference: `${GRPC}, "Model Metadata"`,
      claim: 'metadata of an unknown model is refused with NOT_FOUND',
      message: { name: 'oip-no-such-model' },
      check: (reply) =>
        reply.kind === 'refusal' && reply.code === 'NOT_FOUND' ? undefined : 'NOT_FOUND',
    }),
  ];
}

const wrongServerMetadata = ({ name, version, extensions }: JsonObject): string | undefined => {
  if (typeof name !== 'string' || name === '') return '"name": a text';
  if (typeof version !== 'string') return '"version": a text';
  return isTexts(extensions) ? undefined : '"extensions": a list of texts';
};

function wrongModelMetadata(body: JsonObject): string | undefined {
  if (body['name'] !== ADD_SUB) return `"name": "${ADD_SUB}"`;
  if (typeof body['platform'] !== 'string') return '"platform": a text';
  return wrongTensors(body, 'inputs', 'INPUT') ?? wrongTensors(body, 'outputs', 'OUTPUT');
}

function wrongTensors(body: JsonObject, side: string, prefix: string): string | undefined {
  const found = body[side];
  if (!isArray(found)) return `"${side}": a list`;
  for (const name of [`${prefix}0`, `${prefix}1`]) {
    const wanted = `"${side}" with {"name":"${name}","datatype":"INT32","shape":[-1,16]}`;
    const tensor = found.find((each) => isObject(each) && each['name'] === name);
    if (!isObject(tensor) || tensor['datatype'] !== 'INT32') return wanted;
    const shape = tensor['shape'];
    if (!isArray(shape) || shape.map(textOf).join() !== '-1,16') return wanted;
  }
  return undefined;
}

function textOf(size: unknown): string {
  return size instanceof JsonNumber ? size.text : JSON.stringify(size);
}

function wrongMetadataMessage(message: Message): string | undefined {
  if (message['name'] !== ADD_SUB) return `name ${ADD_SUB}`;
  for (const [side, prefix] of [
    ['inputs', 'INPUT'],
    ['outputs', 'OUTPUT'],
  ] as const) {
    for (const name of [`${prefix}0`, `${prefix}1`]) {
      const tensor = listIn(message, side).find((each) => each['name'] === name);
      const isRight = tensor?.['datatype'] === 'INT32' && String(tensor['shape']) === '-1,16';
      if (!isRight) return `${side} with ${name} INT32 [-1,16]`;
    }
  }
  return undefined;
}
