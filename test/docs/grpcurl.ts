/**
 * A stand-in for grpcurl, for machines without Go to compile it with: one call, from the proto files, with JSON for the request and
 * for each answer. Where the interop suite has compiled the real one, it is used in place of this, and that suite runs the
 * documentation's commands with it. A field that the request's message does not have is refused; the library alone would pass over it.
 */

import path from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { Client, credentials, type MethodDefinition } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { loadDefinitions, methodsOf } from '../../src/protocol/grpc/definitions.ts';
import { projectRoot } from '../support/project-root.ts';

type Json = Readonly<Record<string, unknown>>;
type Method = MethodDefinition<object, object>;

const PROTOS = path.join(projectRoot, 'protos');

const { values, positionals } = parseArgs({
  args: process.argv.slice(2).map((each) => each.replace(/^-(?=[a-z]{2})/, '--')),
  options: {
    plaintext: { type: 'boolean' },
    'max-time': { type: 'string', default: '10' },
    data: { type: 'string', short: 'd', default: '{}' },
  },
  allowPositionals: true,
});
const [address = '', call = ''] = positionals;
const [service = '', name = ''] = call.split('/');
const request = JSON.parse(values.data === '@' ? await text(process.stdin) : values.data) as Json;
const method = methodsOf(loadDefinitions(PROTOS), service)[name];
if (method === undefined) throw new Error(`no method ${call} in the proto files`);
refuseUnknown(requestTypeOf(service, name), request);
for await (const answer of answersOf(method)) {
  process.stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`);
}

function requestTypeOf(serviceName: string, methodName: string): protobuf.Type {
  const files = ['grpc_service.proto', 'health.proto'].map((file) => path.join(PROTOS, file));
  const root = new protobuf.Root().loadSync(files, { keepCase: true });
  const rpc = root.lookupService(serviceName).methods[methodName];
  rpc?.resolve();
  const found = rpc?.resolvedRequestType;
  if (found instanceof protobuf.Type) return found;
  throw new Error(`no message for ${methodName}`);
}

function refuseUnknown(type: protobuf.Type, json: Json): void {
  for (const [key, value] of Object.entries(json)) {
    const field = type.fields[key]?.resolve();
    if (field === undefined) throw new Error(`${type.name} has no field ${key}`);
    const inner = field.resolvedType;
    if (!(inner instanceof protobuf.Type)) continue;
    const isMany = field.map || field.repeated;
    for (const each of isMany ? Object.values(value as object) : [value]) {
      refuseUnknown(inner, each as Json);
    }
  }
}

function answersOf({ path: at, requestStream, responseStream, ...method }: Method) {
  const client = new Client(address, credentials.createInsecure());
  const { requestSerialize: write, responseDeserialize: read } = method;
  const deadline = Date.now() + Number(values['max-time']) * 1_000;
  if (requestStream) {
    const stream = client.makeBidiStreamRequest(at, write, read, { deadline });
    stream.write(request);
    stream.end();
    return closing(stream, client);
  }
  if (responseStream) {
    return closing(client.makeServerStreamRequest(at, write, read, request, { deadline }), client);
  }
  const answer = new Promise<object | undefined>((resolve, reject) => {
    client.makeUnaryRequest(at, write, read, request, { deadline }, (error, value) =>
      error === null ? resolve(value) : reject(error),
    );
  });
  return closing([answer], client);
}

async function* closing(
  answers: Readable | readonly Promise<object | undefined>[],
  client: Client,
): AsyncIterable<unknown> {
  try {
    for await (const answer of answers) yield answer;
  } finally {
    client.close();
  }
}
