import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import fc from 'fast-check';
import t, { type Test } from 'tap';

import { DTYPES } from '../../../src/core/tensor.ts';
import type { VersionStatistics } from '../../../src/gateway/model-statistics.ts';
import type { Protocol, Target } from '../../../src/load/nouns/target.ts';
import type { Address } from '../../../src/load/nouns/wire.ts';
import { askTarget, readCounts } from '../../../src/load/target/ask.ts';
import { countsIn, splitBetween } from '../../../src/load/target/counts.ts';
import { readModelFacts, readModelNames } from '../../../src/load/target/read-facts.ts';
import { TargetError } from '../../../src/load/target/target-error.ts';
import { aConversation } from '../../protocol/grpc/builders.ts';
import { aServer } from '../../protocol/rest/builders.ts';
import { CERTIFICATE } from '../a-certificate.ts';
import { anHttp2Server } from '../an-http2-server.ts';

type Teardown = Pick<Test, 'teardown'>;

function aTarget(address: Address, fields: Partial<Target> = {}): Target {
  return {
    address,
    protocol: 'rest-json',
    model: 'm',
    version: undefined,
    headers: {},
    ...fields,
  };
}

function local(port: number, tls = false): Address {
  return { host: '127.0.0.1', port, tls };
}

/** What our own server has done: two versions of `m`, of which the second is twice the first. */
function statisticsOf(model?: string, version?: string): readonly VersionStatistics[] {
  return [1, 2]
    .map((factor) => ({
      model: 'm',
      version: String(factor),
      lastInferenceMs: 0,
      inferences: 100 * factor,
      executions: 5 * factor,
      success: { count: 10 * factor, ms: 90 * factor },
      failure: { count: 1, ms: 1 },
      queue: { count: 10 * factor, ms: 20 * factor },
      compute: { count: 10 * factor, ms: 30 * factor },
      batches: [],
    }))
    .filter((each) => model === undefined || (version ?? each.version) === each.version);
}

const SERVICE = {
  statistics: statisticsOf,
  serverVersion: '1.2.3',
  repository: {
    index: async () => [
      { model: 'm', version: '1', state: { kind: 'ready' } as const },
      { model: 'm', version: '2', state: { kind: 'ready' } as const },
      { model: 'other', version: undefined, state: { kind: 'unloaded' } as const },
    ],
    load: async () => {},
    unload: async () => {},
  },
};

/** Our own server on both wires. */
async function ourServer(t: Test): Promise<Readonly<Record<Protocol, Address>>> {
  const { port } = await aConversation(t, SERVICE);
  const rest = aServer(SERVICE);
  t.teardown(() => rest.close());
  const http = local((await rest.listen('127.0.0.1', 0)).port);
  const grpc = local(port);
  return { 'rest-json': http, 'rest-binary': http, grpc, 'grpc-stream': grpc };
}

/** A server of HTTP with a handler of the test. It ends with the test. */
async function aSite(t: Teardown, listener: RequestListener, tls = false): Promise<Address> {
  const server = tls ? createSecureServer(CERTIFICATE, listener) : createServer(listener);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return local((server.address() as AddressInfo).port, tls);
}

/** Answers by path; a path that is not there with 404. */
function answering(bodies: Readonly<Record<string, unknown>>): RequestListener {
  return ({ url = '' }, response) => {
    const body = bodies[url];
    response.statusCode = body === undefined ? 404 : 200;
    response.end(typeof body === 'string' ? body : JSON.stringify(body ?? { error: 'not here' }));
  };
}

/** A port on which nothing listens. */
async function nobody(): Promise<Address> {
  const server = createSocketServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return local(port);
}

const PROTOCOLS = ['rest-json', 'rest-binary', 'grpc', 'grpc-stream'] as const;

t.test('our own server answers the same on every wire', async (t) => {
  const addresses = await ourServer(t);
  for (const protocol of PROTOCOLS) {
    const facts = await askTarget(aTarget(addresses[protocol], { protocol }));
    t.same(
      facts,
      {
        server: 'understudy 1.2.3',
        platform: 'onnxruntime_onnx',
        versions: ['1'],
        signature: {
          inputs: [{ name: 'x', dtype: 'FP32', shape: [-1, 2] }],
          outputs: [{ name: 'y', dtype: 'FP32', shape: [-1, 2] }],
        },
      },
      protocol,
    );
  }
});

t.test('counts are those of the version, or of all versions together', async (t) => {
  const addresses = await ourServer(t);
  for (const protocol of PROTOCOLS) {
    const target = aTarget(addresses[protocol], { protocol });
    t.same(
      await readCounts(target),
      { requests: 30, runs: 15, queueNs: 60e6, computeNs: 90e6 },
      protocol,
    );
    t.same(
      await readCounts({ ...target, version: '1' }),
      { requests: 10, runs: 5, queueNs: 20e6, computeNs: 30e6 },
      protocol,
    );
  }
});

t.test('the split of a load is the difference of two counts, as means', async (t) => {
  const before = { requests: 10, runs: 5, queueNs: 20e6, computeNs: 30e6 };
  const after = { requests: 30, runs: 15, queueNs: 60e6, computeNs: 130e6 };
  t.same(splitBetween(before, after), {
    requests: 20,
    requestsPerRun: 2,
    queueMs: 2,
    computeMs: 5,
  });
  t.equal(splitBetween(before, before), undefined, 'nothing happened');
  t.equal(splitBetween(after, before), undefined, 'the server was restarted');
  t.equal(splitBetween(before, { ...after, runs: 0 }), undefined);
});

t.test('what has no counts, or is no statistics at all, has none', async (t) => {
  const target = aTarget(local(1));
  const counted = { count: 1, ns: 2 };
  const entry = (fields: object) => ({
    name: 'm',
    version: '1',
    execution_count: 1,
    inference_stats: { success: counted, queue: counted, compute_infer: counted },
    ...fields,
  });
  t.same(countsIn(target, { model_stats: [entry({})] }), {
    requests: 1,
    runs: 1,
    queueNs: 2,
    computeNs: 2,
  });
  t.same(countsIn(target, { model_stats: [entry({ execution_count: '7' })] })?.runs, 7);
  for (const nonsense of [
    undefined,
    null,
    7,
    [],
    {},
    { model_stats: [] },
    { model_stats: [entry({ name: 'x' })] },
    { model_stats: [entry({ execution_count: undefined })] },
    { model_stats: [entry({ inference_stats: undefined })] },
    { model_stats: [entry({ execution_count: -1 })] },
  ]) {
    t.equal(countsIn(target, nonsense), undefined, JSON.stringify(nonsense));
  }
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const counts = countsIn(target, { model_stats: value });
      return counts === undefined || Object.values(counts).every((each) => each >= 0);
    }),
  );
});

t.test('a server without statistics, or without an answer, does not fail a load', async (t) => {
  const none = await aSite(t, answering({ '/v2/models/m/stats': '<html>' }));
  t.equal(await readCounts(aTarget(none)), undefined);
  t.equal(await readCounts(aTarget(none, { model: 'x' })), undefined);
  const silent = await aSite(t, () => {});
  t.equal(await readCounts(aTarget(silent), 50), undefined);
  const unimplemented = await anHttp2Server(t, (call) =>
    call.respond({ 'grpc-status': '12' }, { endStream: true }),
  );
  t.equal(await readCounts(aTarget(unimplemented.address, { protocol: 'grpc' })), undefined);
});

t.test("questions carry the target's headers, and names as they are", async (t) => {
  const seen: unknown[] = [];
  const site = await aSite(t, ({ url, headers }, response) => {
    seen.push([url, headers['authorization']]);
    response.end('{"inputs":[]}');
  });
  const headers = { authorization: 'Bearer me' };
  await askTarget(aTarget(site, { model: 'a b', version: '1/2', headers }));
  t.same(seen, [
    ['/v2', 'Bearer me'],
    ['/v2/models/a%20b/versions/1%2F2', 'Bearer me'],
  ]);
});

t.test('a server may answer less than the protocol has', async (t) => {
  const inputs = [{ name: 'x', datatype: 'TYPE_STRING', shape: ['-1', null, 3] }];
  const outputs = [
    { name: 'y', datatype: 'FP8', shape: [1] },
    { name: 'z', datatype: 'fp32' },
  ];
  const site = await aSite(
    t,
    answering({ '/v2/models/m': { inputs, outputs, parameters: { content_type: 'np' } } }),
  );
  t.same(await askTarget(aTarget(site)), {
    server: undefined,
    platform: undefined,
    versions: [],
    signature: {
      inputs: [{ name: 'x', dtype: 'BYTES', shape: [-1, -1, 3] }],
      outputs: [{ name: 'z', dtype: 'FP32', shape: [] }],
    },
  });
});

t.test('an input that cannot be understood is named', async (t) => {
  const ask = async (input: object) => {
    const site = await aSite(t, answering({ '/v2/models/m': { inputs: [input] } }));
    return askTarget(aTarget(site));
  };
  await t.rejects(ask({ name: 'x', datatype: 'FP8', shape: [1] }), /datatype "FP8" of input x/);
  await t.rejects(ask({ name: 'x', datatype: 'FP32' }), /the shape none of input x/);
  await t.rejects(ask({ name: 'x', datatype: 'FP32', shape: [1.5] }), /the shape \[1.5\] of/);
  await t.rejects(ask({ datatype: 'FP32', shape: [1] }), /input 0 without a name/);
});

t.test('any answer of a server is read or refused with what was found', async () => {
  const datatype = fc.constantFrom(...DTYPES);
  const shape = fc.array(fc.integer({ min: -1, max: 9 }), { maxLength: 4 });
  const name = fc.string({ minLength: 1 });
  fc.assert(
    fc.property(fc.array(fc.record({ name, datatype, shape })), (tensors) => {
      const { signature } = readModelFacts({ inputs: tensors, outputs: tensors });
      const told = (specs: typeof signature.inputs) =>
        JSON.stringify(specs.map(({ name, dtype, shape }) => ({ name, datatype: dtype, shape })));
      const all = JSON.stringify(tensors);
      return told(signature.inputs) === all && told(signature.outputs) === all;
    }),
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      readModelNames(value);
      try {
        return Array.isArray(readModelFacts({ inputs: value }).signature.inputs);
      } catch (error) {
        return error instanceof Error && error.constructor.name === 'FactsError';
      }
    }),
  );
});

t.test('a model that is not there is refused with those that are', async (t) => {
  const addresses = await ourServer(t);
  for (const protocol of PROTOCOLS) {
    const target = aTarget(addresses[protocol], { protocol });
    const wrongs = [
      { ...target, model: 'x' },
      { ...target, version: '9' },
    ];
    for (const wrong of wrongs) {
      await t.rejects(askTarget(wrong), TargetError, protocol);
      await t.rejects(askTarget(wrong), { message: /It has m \(1, 2\), other\.$/ }, protocol);
    }
  }
  const bare = await aSite(t, answering({}));
  await t.rejects(askTarget(aTarget(bare)), {
    message: /\/v2\/models\/m: found 404: not here\. Is m the name that the server has/,
  });
});

t.test('a refusal says what the server says', async (t) => {
  const site = await aSite(t, (_, response) => response.writeHead(403).end('{"error":"no key."}'));
  await t.rejects(askTarget(aTarget(site)), {
    message: /found 403: no key\. Does it want a header with a key\?$/,
  });
  const { address } = await anHttp2Server(t, (call) =>
    call.respond({ 'grpc-status': '12', 'grpc-message': 'no such method' }, { endStream: true }),
  );
  await t.rejects(askTarget(aTarget(address, { protocol: 'grpc' })), {
    message: /found UNIMPLEMENTED: no such method\. Is it a server of the Open Inference Protocol/,
  });
});

t.test('a server that cannot be asked is reported with the cause', async (t) => {
  const addresses = await ourServer(t);
  const gone = await nobody();
  const site = await aSite(t, answering({}), true);
  const secure = await anHttp2Server(t, () => {}, { tls: true });
  const cases: readonly [string, Address, RegExp][] = [
    [
      'rest-json',
      gone,
      /nothing listens there \(ECONNREFUSED\)\. Is it up\? Is \d+ its port for HTTP/,
    ],
    ['grpc', gone, /nothing listens there \(ECONNREFUSED\)\. Is it up\? Is \d+ its port for gRPC/],
    ['rest-json', addresses.grpc, /another protocol: .*Is \d+ its port for HTTP, and not for gRPC/],
    ['grpc', addresses['rest-json'], /another protocol: .*Is \d+ its port for gRPC, and not/],
    ['rest-json', { ...addresses['rest-json'], tls: true }, /no TLS .*Is it http rather than/],
    ['grpc', { ...addresses.grpc, tls: true }, /no TLS .*Is it http rather than https/],
    ['rest-json', { ...site, tls: false }, /another protocol: .*https rather than http/],
    ['rest-json', site, /a certificate that no trusted authority signed: .*--ca-file/],
    ['grpc', site, /another protocol: .*port for gRPC, and not for HTTP\?$/],
    ['grpc', secure.address, /a certificate that no trusted authority signed: .*--ca-file/],
    ['rest-json', { ...gone, host: 'no.such.invalid' }, /no host of the name no\.such\.invalid/],
  ];
  for (const [protocol, address, message] of cases) {
    const target = aTarget(address, { protocol: protocol as Protocol });
    await t.rejects(askTarget(target), { name: 'TargetError', message }, `${protocol} ${message}`);
  }
});

t.test('an answer without an end is not kept, however fast it comes', async (t) => {
  const piece = Buffer.alloc(2 ** 20, 'x');
  let sent = 0;
  const site = await aSite(t, (_, response) => {
    const goOn = (): void => {
      while (!response.destroyed && sent < 1024) {
        sent += 1;
        if (!response.write(piece)) return;
      }
    };
    response.on('drain', goOn);
    goOn();
  });
  await t.rejects(askTarget(aTarget(site)), { message: /found an answer of more than 16 MiB/ });
  t.ok(sent < 1024, `the server could send ${sent} MiB`);
});

t.test('a question without an answer is given up in time', async (t) => {
  const silent = await aSite(t, () => {});
  await t.rejects(askTarget(aTarget(silent), 50), { message: /no answer within 50 ms/ });
  const { address } = await anHttp2Server(t, () => {});
  const target = aTarget(address, { protocol: 'grpc' });
  await t.rejects(askTarget(target, 50), { message: /ServerMetadata of .*no answer within/ });
});
