import { messageOf } from '../../core/errors.ts';
import type { AnswerForm } from '../nouns/answer-check.ts';
import type { Sample } from '../nouns/sample.ts';
import type { Protocol, Target } from '../nouns/target.ts';
import { originOf, type Wire } from '../nouns/wire.ts';
import { postBytes } from '../wire/http-connection.ts';
import { grpcRequest } from './grpc-request.ts';
import { restBinaryBody, restJsonBody } from './rest-body.ts';

const SERVICE = '/inference.GRPCInferenceService';

/** How the answers to a protocol's requests are written. */
export const ANSWER_FORMS: Readonly<Record<Protocol, AnswerForm>> = {
  'rest-json': 'rest-json',
  'rest-binary': 'rest-binary',
  grpc: 'grpc',
  'grpc-stream': 'grpc',
};

/** How a target's requests reach it. HTTP opens as many connections as it needs: `connections` is for gRPC. */
export function wireFor(target: Target, connections: number): Wire {
  const { address, protocol } = target;
  const headers = checkedHeaders(target);
  switch (protocol) {
    case 'rest-json':
    case 'rest-binary':
      return { kind: 'http', address };
    case 'grpc':
      return { kind: protocol, address, path: `${SERVICE}/ModelInfer`, connections, headers };
    case 'grpc-stream':
      return { kind: protocol, address, path: `${SERVICE}/ModelStreamInfer`, connections, headers };
  }
}

/**
 * The bytes of one request for each sample, as the target's wire takes them: whole HTTP/1.1 requests, or ModelInferRequests. They ask
 * for all outputs, in the form of the request.
 *
 * @throws Error for a header that cannot be sent, and for what the protocol cannot hold: bytes that are no text in JSON. It names the
 * sample by its place, from 0.
 */
export function requestsFor(target: Target, samples: readonly Sample[]): Uint8Array[] {
  const write = writerOf(target);
  return samples.map((sample, place) => {
    try {
      return write(sample);
    } catch (cause) {
      throw new Error(`sample ${place}: ${messageOf(cause)}`, { cause });
    }
  });
}

function writerOf(target: Target): (sample: Sample) => Uint8Array {
  switch (target.protocol) {
    case 'grpc':
    case 'grpc-stream':
      return ({ inputs }) => grpcRequest(target, inputs);
    case 'rest-json': {
      const post = poster(target);
      return ({ inputs }) => post(restJsonBody(inputs), { 'content-type': 'application/json' });
    }
    case 'rest-binary': {
      const post = poster(target);
      return ({ inputs }) => {
        const { bytes, headBytes } = restBinaryBody(inputs);
        return post(bytes, {
          'content-type': 'application/octet-stream',
          'inference-header-content-length': String(headBytes),
        });
      };
    }
  }
}

type Post = (body: Uint8Array, form: Readonly<Record<string, string>>) => Uint8Array;

function poster(target: Target): Post {
  const { model, version, address } = target;
  const { host = originOf(address).replace(/^https?:\/\//, ''), ...headers } =
    checkedHeaders(target);
  const at = version === undefined ? '' : `/versions/${encodeURIComponent(version)}`;
  const path = `/v2/models/${encodeURIComponent(model)}${at}/infer`;
  return (body, form) => postBytes({ host, path, headers: { ...headers, ...form }, body });
}

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What a header can hold in one line: no controls, and nothing beyond Latin-1. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** They say how the request is written, which is decided here. */
const OWN_HEADERS = [
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'inference-header-content-length',
  'te',
  'transfer-encoding',
];

/** The target's headers by their names in lower case, which HTTP/2 has. */
function checkedHeaders({ headers }: Target): Record<string, string> {
  const checked = Object.entries(headers).map(([name, value]) => {
    if (!TOKEN.test(name)) throw new Error(`header ${JSON.stringify(name)}: expected a name`);
    const lower = name.toLowerCase();
    if (OWN_HEADERS.includes(lower)) {
      throw new Error(`header ${name}: expected another one; the protocol decides on this`);
    }
    if (!VALUE.test(value)) {
      throw new Error(`header ${name}: expected one line, found ${JSON.stringify(value)}`);
    }
    return [lower, value];
  });
  return Object.fromEntries(checked);
}
