/** The server, apart from its models: health for orchestrators, reflection, settings, and what it does not serve. */
import { type Bench, type Case, type Finding, fail, pass } from '../case.ts';
import { describeGrpc, grpcCase, isCode, isMessage } from '../kinds/grpc.ts';
import { describeRequest, httpCase, isRefusal } from '../kinds/http.ts';
import { MODEL } from '../model-names.ts';
import { HEALTH, LOGGING, SHARED_MEMORY, TRACE } from '../references.ts';
import { rawMessage } from '../wire/grpc-infer.ts';
import { describeAnswer, errorOf } from '../wire/http.ts';
import { addSub } from './inference.ts';

export function serverCases(): readonly Case[] {
  return [...healthCases(), ...optionalCases(), ...sharedMemoryCases()];
}

function healthCases(): readonly Case[] {
  const common = { section: 'health', service: 'health', reference: HEALTH } as const;
  return [
    grpcCase({
      ...{ ...common, id: 'health.check', level: 'recommended', method: 'Check' },
      claim: 'the standard health service says that the server as a whole is serving',
      check: isMessage(({ status }) => (status === 'SERVING' ? undefined : 'status SERVING')),
    }),
    grpcCase({
      ...{ ...common, id: 'health.check.service', level: 'extension', method: 'Check' },
      claim: 'health can be asked of the inference service by name',
      message: { service: 'inference.GRPCInferenceService' },
      check: isMessage(({ status }) => (status === 'SERVING' ? undefined : 'status SERVING')),
    }),
    grpcCase({
      ...{ ...common, id: 'health.check.unknown', level: 'extension', method: 'Check' },
      claim: 'health of a service that there is not is not found',
      message: { service: 'no.such.Service' },
      check: (reply) =>
        reply.kind === 'refusal' && reply.code === 'NOT_FOUND' ? undefined : 'NOT_FOUND',
    }),
    {
      ...{ section: 'health', reference: HEALTH, id: 'health.watch', level: 'extension' },
      ...{ models: [], wires: ['grpc'] },
      claim: 'a health watch begins with the present status',
      run: async ({ grpc }) => {
        const reply = await grpc.first('Watch', { service: '' }, 'health');
        const isServing = reply.kind === 'answer' && reply.message['status'] === 'SERVING';
        if (isServing) return pass();
        const found = describeGrpc(reply);
        return fail({ request: 'Watch', expected: 'status SERVING', found });
      },
    },
    {
      ...{ section: 'health', reference: 'grpc.reflection.v1', id: 'health.reflection' },
      ...{ level: 'extension', models: [], wires: ['grpc'] },
      claim: 'server reflection lists the inference service',
      run: async ({ grpc }) => {
        const names = await grpc.reflectedServices();
        if (names.includes('inference.GRPCInferenceService')) return pass();
        const expected = 'inference.GRPCInferenceService among the services';
        return fail({ request: 'ServerReflectionInfo', expected, found: names.join(', ') });
      },
    },
  ];
}

type Optional = {
  readonly extension: string;
  readonly section: 'settings' | 'shared memory';
  readonly reference: string;
  readonly path: string;
  readonly method: string;
};

/** Parts that a server advertises and serves, or refuses: never half of it. */
const OPTIONAL: readonly Optional[] = [
  {
    ...{ extension: 'trace', section: 'settings', reference: TRACE },
    ...{ path: '/v2/trace/setting', method: 'TraceSetting' },
  },
  {
    ...{ extension: 'logging', section: 'settings', reference: LOGGING },
    ...{ path: '/v2/logging', method: 'LogSettings' },
  },
  {
    ...{ extension: 'system_shared_memory', section: 'shared memory', reference: SHARED_MEMORY },
    ...{ path: '/v2/systemsharedmemory/status', method: 'SystemSharedMemoryStatus' },
  },
  {
    ...{ extension: 'cuda_shared_memory', section: 'shared memory', reference: SHARED_MEMORY },
    ...{ path: '/v2/cudasharedmemory/status', method: 'CudaSharedMemoryStatus' },
  },
];

function optionalCases(): readonly Case[] {
  return OPTIONAL.map(
    (optional): Case => ({
      ...{ id: `server.${optional.extension}`, section: optional.section, level: 'extension' },
      claim: `${optional.extension} is advertised and answered, or refused with an error`,
      reference: optional.reference,
      models: [],
      wires: ['http', 'grpc'],
      run: (bench, wire) => (wire === 'http' ? askHttp(bench, optional) : askGrpc(bench, optional)),
    }),
  );
}

async function askHttp(
  { http, advertises }: Bench,
  { extension, path }: Optional,
): Promise<Finding> {
  const answer = await http.send({ path });
  const request = describeRequest({ path });
  const found = describeAnswer(answer);
  if (advertises(extension)) {
    const isServed = answer.status === 200 && answer.json !== undefined;
    return isServed ? pass() : fail({ request, expected: '200 and JSON', found });
  }
  if (answer.status === 200) return pass('served, and not advertised');
  const isRefused = answer.status >= 400 && errorOf(answer) !== undefined;
  return isRefused ? pass() : fail({ request, expected: 'an error with a reason', found });
}

async function askGrpc(
  { grpc, advertises }: Bench,
  { extension, method }: Optional,
): Promise<Finding> {
  const reply = await grpc.call(method);
  if (reply.kind === 'answer') {
    return advertises(extension) ? pass() : pass('served, and not advertised');
  }
  if (!advertises(extension) && reply.message !== '') return pass();
  return fail({ request: method, expected: 'status OK', found: describeGrpc(reply) });
}

/** A request that points at shared memory which is not there must not be answered from anything else. */
function sharedMemoryCases(): readonly Case[] {
  const { inputs } = addSub(1);
  const common = {
    section: 'shared memory',
    level: 'recommended',
    reference: SHARED_MEMORY,
    models: [MODEL.addSub],
  } as const;
  const region =
    '"parameters":{"shared_memory_region":"no_such_region","shared_memory_byte_size":64}';
  const input = (name: string) => `{"name":"${name}","shape":[1,16],"datatype":"INT32",${region}}`;
  const full = (name: string) =>
    `{"name":"${name}","shape":[1,16],"datatype":"INT32","data":[${Array.from({ length: 16 }, () => 1)}]}`;
  const post = (body: string) =>
    ({ method: 'POST', path: `/v2/models/${MODEL.addSub}/infer`, body }) as const;
  const parameters = {
    shared_memory_region: { string_param: 'no_such_region' },
    shared_memory_byte_size: { int64_param: '64' },
  };
  const message = rawMessage({ model: MODEL.addSub, inputs });
  return [
    httpCase({
      ...{ ...common, id: 'shared-memory.http.input' },
      claim: 'an input in an unknown region is refused',
      request: post(`{"inputs":[${input('INPUT0')},${input('INPUT1')}]}`),
      check: isRefusal(400, 404, 501),
    }),
    httpCase({
      ...{ ...common, id: 'shared-memory.http.output' },
      claim: 'an output that is to go to an unknown region is refused, not sent instead',
      request: post(
        `{"inputs":[${full('INPUT0')},${full('INPUT1')}],"outputs":[{"name":"OUTPUT0",${region}}]}`,
      ),
      check: isRefusal(400, 404, 501),
    }),
    grpcCase({
      ...{ ...common, id: 'shared-memory.grpc.input', method: 'ModelInfer' },
      claim: 'an input in an unknown region is refused',
      message: {
        ...message,
        inputs: inputs.map(({ name }) => ({
          ...{ name, datatype: 'INT32', shape: ['1', '16'], parameters },
        })),
        raw_input_contents: [],
      },
      check: isCode('INVALID_ARGUMENT', 'NOT_FOUND', 'UNIMPLEMENTED'),
    }),
    grpcCase({
      ...{ ...common, id: 'shared-memory.grpc.output', method: 'ModelInfer' },
      claim: 'an output that is to go to an unknown region is refused, not sent instead',
      message: { ...message, outputs: [{ name: 'OUTPUT0', parameters }] },
      check: isCode('INVALID_ARGUMENT', 'NOT_FOUND', 'UNIMPLEMENTED'),
    }),
  ];
}
