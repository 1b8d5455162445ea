import { once } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Client, credentials, type MethodDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
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

t.test('whoever asks more than it reads is waited for', async (t) => {
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
