import { once } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Client, credentials, type MethodDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import descriptor from 'protobufjs/ext/descriptor.js';
import t, { type Test } from 'tap';

import { methodsOf } from '../../../src/protocol/grpc/definitions.ts';
import { aSession, ended } from './a-session.ts';
import { aConversation } from './builders.ts';

const PROTOS = path.resolve(
  path.dirname(createRequire(import.meta.url).resolve('@grpc/reflection')),
  '../proto/grpc/reflection',
);

/** The one call of a version of server reflection. */
function reflectionMethod(version: string): MethodDefinition<object, object> {
  const definitions = loadSync(path.join(PROTOS, version, 'reflection.proto'), { oneofs: true });
  const service = `grpc.reflection.${version}.ServerReflection`;
  const method = methodsOf(definitions, service)['ServerReflectionInfo'];
  if (method === undefined) throw new Error(`no such call in ${service}`);
  return method;
}

type Asked = { readonly version: string; readonly questions: readonly object[] };

async function reflect(t: Test, { version, questions }: Asked) {
  const { port } = await aConversation(t);
  const { path: url, requestSerialize, responseDeserialize } = reflectionMethod(version);
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  t.teardown(() => client.close());
  const stream = client.makeBidiStreamRequest(url, requestSerialize, responseDeserialize);
  for (const question of questions) stream.write(question);
  stream.end();
  const answers: unknown[] = [];
  for await (const answer of stream) answers.push(answer);
  return answers;
}

for (const version of ['v1', 'v1alpha']) {
  t.test(`tools find out by ${version} what is served, without proto files`, async (t) => {
    const questions = [
      { listServices: '*' },
      { fileContainingSymbol: 'inference.ModelInferRequest' },
    ];
    const [services, symbol] = await reflect(t, { version, questions });
    const names = JSON.stringify(services);
    t.match(names, /inference\.GRPCInferenceService.*grpc\.health\.v1\.Health/);
    t.match(symbol, { fileDescriptorResponse: { fileDescriptorProto: [Buffer] } });
  });
}

t.test('entries of maps are called as protoc calls them, wherever they are nested', async (t) => {
  const questions = [
    { fileContainingSymbol: 'inference.GRPCInferenceService' },
    { fileContainingSymbol: 'inference.ModelInferRequest.InferInputTensor.ParametersEntry' },
    { fileContainingSymbol: 'inference.ModelInferRequest.Parameters' },
  ];
  const [file, entry, strange] = await reflect(t, { version: 'v1', questions });
  const names = [...mapsIn(file)];
  t.ok(names.length > 20, 'of all messages');
  for (const { field, type, entry } of names) {
    const words = field.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
    t.same([type, entry], [`${words.join('')}Entry`, `${words.join('')}Entry`], field);
  }
  t.ok(names.some(({ field }) => field === 'response_stats'));
  t.match(entry, { fileDescriptorResponse: { fileDescriptorProto: [Buffer] } });
  t.match(strange, { errorResponse: { errorMessage: /Symbol not found/ } });
});

type MapField = { readonly field: string; readonly type: string; readonly entry: string };

/** The maps of the files in an answer: each with the type that its field names, and the name of its entry. */
function mapsIn(answer: unknown): readonly MapField[] {
  const { fileDescriptorResponse: files } = answer as {
    fileDescriptorResponse: { fileDescriptorProto: readonly Buffer[] };
  };
  const maps = ({ field = [], nestedType = [] }: descriptor.IDescriptorProto): MapField[] => [
    ...nestedType.flatMap(maps),
    ...nestedType
      .filter(({ options }) => options?.mapEntry)
      .map(({ name }) => {
        const owner = field.find(({ typeName }) => typeName === name);
        return { field: owner?.name ?? '', type: owner?.typeName ?? '', entry: name ?? '' };
      }),
  ];
  return files.fileDescriptorProto.flatMap((file) => {
    const decoded = descriptor.FileDescriptorProto.decode(file) as descriptor.IFileDescriptorProto;
    return (decoded.messageType ?? []).flatMap(maps);
  });
}

t.test('a client that asks more than it reads is waited for', async (t) => {
  const questions = Array.from({ length: 500 }, () => ({
    fileContainingSymbol: 'inference.ModelInferRequest',
  }));
  t.equal((await reflect(t, { version: 'v1', questions })).length, questions.length);
});

t.test('a tool may be silent between two questions for as long as it likes', async (t) => {
  const { port } = await aConversation(t, { limits: { stallMsMax: 50 } });
  const { path: url, requestSerialize, responseDeserialize } = reflectionMethod('v1');
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  t.teardown(() => client.close());
  const stream = client.makeBidiStreamRequest(url, requestSerialize, responseDeserialize);
  const answer = async () => {
    stream.write({ listServices: '*' });
    return (await once(stream, 'data'))[0];
  };
  t.match(await answer(), { listServicesResponse: {} });
  const { open } = await aSession(t, port);
  const call = open('ModelInfer');
  call.write(Buffer.from([0]));
  await ended(call);
  t.match(await answer(), { listServicesResponse: {} }, 'others have been cut meanwhile');
  stream.end();
});
