/** Parameters of requests, and bodies that are compressed. */
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import type { Case } from '../case.ts';
import { grpcCase, isCode } from '../kinds/grpc.ts';
import { all, type HttpCheck, httpCase, isRefusal, isStatus } from '../kinds/http.ts';
import { inferenceCase } from '../kinds/inference.ts';
import { MODEL } from '../model-names.ts';
import { BINARY, GRPC, PARAMETERS, REST } from '../references.ts';
import { rawMessage } from '../wire/grpc-infer.ts';
import type { HttpRequest } from '../wire/http.ts';
import type { Parameters } from '../wire/infer-call.ts';
import { parseJson } from '../wire/json.ts';
import { binaryRequest, jsonRequest, replyOf } from '../wire/rest.ts';
import { difference } from '../wire/tensor.ts';
import { addSub } from './inference.ts';

const { inputs, outputs } = addSub(1);
const call = { model: MODEL.addSub, inputs };
const models = [MODEL.addSub];

export function parameterCases(): readonly Case[] {
  return [...acceptedCases(), ...refusedCases(), ...compressedRequests(), ...compressedAnswers()];
}

type Accepted = {
  readonly id: string;
  readonly claim: string;
  readonly parameters: Parameters;
};

function acceptedCases(): readonly Case[] {
  const accepted: readonly Accepted[] = [
    {
      id: 'custom',
      claim: 'parameters that the server does not know change nothing',
      parameters: { my_text: 'a', my_number: 7n, my_switch: true },
    },
    { id: 'priority', claim: 'a priority is taken', parameters: { priority: 1n } },
    {
      id: 'timeout',
      claim: 'a time-out in microseconds is taken',
      parameters: { timeout: 20_000_000n },
    },
  ];
  return accepted.map(({ id, claim, parameters }) =>
    inferenceCase({
      ...{ id: `parameters.${id}`, section: 'parameters', level: 'recommended', claim },
      reference: `${REST}, "Parameters"; ${PARAMETERS}`,
      call: { ...call, parameters },
      outputs,
    }),
  );
}

function refusedCases(): readonly Case[] {
  const common = { section: 'parameters', models, reference: `${REST}, "Parameters"` } as const;
  const post = (parameters: string): HttpRequest => {
    const request = jsonRequest(call);
    return { ...request, body: String(request.body).replace('{', `{"parameters":${parameters},`) };
  };
  const message = rawMessage(call);
  return [
    httpCase({
      ...{ ...common, id: 'parameters.number', level: 'recommended' },
      claim: 'a parameter may be a fraction',
      request: post('{"my_ratio":0.5}'),
      check: isStatus(200),
    }),
    httpCase({
      ...{ ...common, id: 'parameters.list', level: 'recommended' },
      claim: 'parameters that are no object are refused',
      request: post('[1]'),
      check: isRefusal(400),
    }),
    httpCase({
      ...{ ...common, id: 'parameters.value-list', level: 'recommended' },
      claim: 'a parameter that is neither text, number nor truth value is refused',
      request: post('{"my_list":[1]}'),
      check: isRefusal(400),
    }),
    httpCase({
      ...{ ...common, id: 'parameters.timeout-text', level: 'extension', reference: PARAMETERS },
      claim: 'a time-out that is no number is refused',
      request: post('{"timeout":"soon"}'),
      check: isRefusal(400),
    }),
    httpCase({
      ...{ ...common, id: 'parameters.reserved', level: 'extension', reference: PARAMETERS },
      ...{ extension: 'parameters' },
      claim: 'a parameter of the reserved names triton_* is refused',
      request: post('{"triton_enable_empty_final_response":true}'),
      check: isRefusal(400),
    }),
    grpcCase({
      ...{
        ...common,
        id: 'parameters.grpc.timeout-text',
        level: 'extension',
        reference: PARAMETERS,
      },
      claim: 'a time-out that is no number is refused',
      method: 'ModelInfer',
      message: { ...message, parameters: { timeout: { string_param: 'soon' } } },
      check: isCode('INVALID_ARGUMENT'),
    }),
    grpcCase({
      ...{ ...common, id: 'parameters.grpc.unset', level: 'recommended' },
      reference: `${GRPC}, "InferParameter"`,
      claim: 'a parameter without a value is refused or passed over, and ends nothing',
      method: 'ModelInfer',
      message: { ...message, parameters: { my_nothing: {} } },
      check: (reply) => (reply.kind === 'answer' ? undefined : isCode('INVALID_ARGUMENT')(reply)),
    }),
  ];
}

const DOCUMENT = 'Triton inference_protocols.md, "Compression"';

type Packed = { readonly request: HttpRequest; readonly encoding: string };

/** The request with its body packed; the header that counts bytes of JSON stays as it was, before packing. */
function packed({ request, encoding }: Packed): HttpRequest {
  const body = Buffer.from(request.body ?? '');
  return {
    ...request,
    headers: { ...request.headers, 'content-encoding': encoding },
    body: encoding === 'gzip' ? gzipSync(body) : deflateSync(body),
  };
}

const isRight: HttpCheck = (answer) => {
  const reply = replyOf(answer);
  if (reply.kind !== 'answer') return 'an answer';
  const wrong = outputs.map((output) =>
    difference(
      output,
      reply.answer.outputs.find(({ name }) => name === output.name),
    ),
  );
  return wrong.find((each) => each !== undefined);
};

function compressedRequests(): readonly Case[] {
  const common = {
    section: 'compression',
    level: 'extension',
    models,
    reference: DOCUMENT,
  } as const;
  const request = jsonRequest(call);
  const whole = gzipSync(Buffer.from(request.body ?? ''));
  const gzip = { ...request.headers, 'content-encoding': 'gzip' };
  const ways = ['gzip', 'deflate'].flatMap((encoding) => [
    httpCase({
      ...{ ...common, id: `compression.request.${encoding}.json` },
      claim: `a JSON body in ${encoding} is read`,
      request: packed({ request, encoding }),
      check: all(isStatus(200), isRight),
    }),
    httpCase({
      ...{ ...common, id: `compression.request.${encoding}.binary`, reference: BINARY },
      claim: `a body with bytes in ${encoding} is read; its header counts bytes before compression`,
      request: packed({ request: binaryRequest(call), encoding }),
      check: all(isStatus(200), isRight),
    }),
  ]);
  return [
    ...ways,
    httpCase({
      ...{ ...common, id: 'compression.request.identity' },
      claim: 'identity is an encoding, too',
      request: { ...request, headers: { ...request.headers, 'content-encoding': 'identity' } },
      check: all(isStatus(200), isRight),
    }),
    httpCase({
      ...{ ...common, id: 'compression.request.unknown', reference: 'RFC 9110 8.4' },
      claim: 'an encoding that the server does not know is refused',
      request: { ...request, headers: { ...request.headers, 'content-encoding': 'sdch' } },
      check: isRefusal(415, 501, 400),
    }),
    httpCase({
      ...{ ...common, id: 'compression.request.corrupt' },
      claim: 'a body that is not in the encoding it names is refused',
      request: { ...request, headers: gzip },
      check: isRefusal(400),
    }),
    httpCase({
      ...{ ...common, id: 'compression.request.cut' },
      claim: 'a compressed body that ends early is refused',
      request: { ...request, headers: gzip, body: whole.subarray(0, whole.length - 12) },
      check: isRefusal(400),
    }),
    httpCase({
      ...{ ...common, id: 'compression.request.bomb', reference: 'CWE-409' },
      claim: 'a small body that grows to 128 MiB is refused',
      request: {
        ...request,
        headers: gzip,
        body: bomb(),
      },
      check: isRefusal(400, 413),
    }),
  ];
}

const BOMB_BYTES = 128 * 1_024 * 1_024;
let packedBomb: Buffer | undefined;

/** Twice what servers take by default. Made once: it takes a while. */
function bomb(): Buffer {
  packedBomb ??= gzipSync(Buffer.alloc(BOMB_BYTES), { level: 1 });
  return packedBomb;
}

function compressedAnswers(): readonly Case[] {
  const common = {
    section: 'compression',
    level: 'extension',
    models,
    reference: DOCUMENT,
  } as const;
  const large = addSub(8);
  const request = jsonRequest({ ...call, inputs: large.inputs });
  const asked = (encoding: string): HttpRequest => ({
    ...request,
    headers: { ...request.headers, 'accept-encoding': encoding },
  });
  const isPacked =
    (encoding: string, unpack: (bytes: Buffer) => Buffer): HttpCheck =>
    (answer) => {
      if (answer.headers['content-encoding'] !== encoding) return `content-encoding ${encoding}`;
      const body = unpack(answer.body);
      const { 'content-encoding': _, ...headers } = answer.headers;
      const reply = replyOf({ ...answer, headers, body, json: parseJson(body.toString()) });
      if (reply.kind !== 'answer') return 'an answer';
      return large.outputs
        .map((output) =>
          difference(
            output,
            reply.answer.outputs.find(({ name }) => name === output.name),
          ),
        )
        .find((each) => each !== undefined);
    };
  return [
    httpCase({
      ...{ ...common, id: 'compression.answer.gzip' },
      claim: 'a client that takes gzip gets gzip',
      request: asked('gzip'),
      check: all(
        isStatus(200),
        isPacked('gzip', (bytes) => gunzipSync(bytes)),
      ),
    }),
    httpCase({
      ...{ ...common, id: 'compression.answer.deflate' },
      claim: 'a client that takes deflate gets deflate',
      request: asked('deflate'),
      check: all(
        isStatus(200),
        isPacked('deflate', (bytes) => inflateSync(bytes)),
      ),
    }),
    httpCase({
      ...{ ...common, id: 'compression.answer.preference', reference: 'RFC 9110 12.5.3' },
      claim: 'what a client takes with weight 0 is not sent',
      request: asked('gzip;q=0, deflate;q=0'),
      check: all(isStatus(200), ({ headers }) =>
        ['gzip', 'deflate'].includes(String(headers['content-encoding']))
          ? 'no compression'
          : undefined,
      ),
    }),
    httpCase({
      ...{ ...common, id: 'compression.answer.none' },
      claim: 'a client that does not speak of encodings gets the plain answer',
      request,
      check: all(isStatus(200), ({ headers }) =>
        headers['content-encoding'] === undefined ? undefined : 'no content-encoding',
      ),
    }),
  ];
}
