import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { everyCase } from './cases/every-case.ts';
import { writeModels } from './models.ts';
import { startOwnGateway } from './own-gateway.ts';
import type { Result } from './run-cases.ts';
import { connect, runCases } from './run-cases.ts';
import { requiredFailures, scorecard, scorecardJson } from './scorecard.ts';
import { ELEMENT_BYTES, isDatatype, pack, unpack } from './wire/datatype.ts';
import { isObject, JsonNumber, parseJson } from './wire/json.ts';
import { difference, tensor } from './wire/tensor.ts';

/** A gateway with two dozen models, and some seven hundred requests to it, on a machine that has other things to do as well. */
const WITHIN_MS = 110_000;

t.setTimeout(WITHIN_MS);

t.test('the gateway does all that the protocol says, over every wire', async (t) => {
  t.setTimeout(WITHIN_MS);
  const gateway = await startOwnGateway(writeModels);
  t.teardown(() => gateway.close());
  t.ok(gateway.grpc, 'it answers over gRPC, too');
  const connection = await connect(gateway);
  t.teardown(() => connection.close());
  await runCases(everyCase(), connection, ({ case: { id, claim }, wire, finding }) => {
    const { outputs: _, ...found } = { outputs: undefined, ...finding };
    t.equal(finding.kind, 'pass', `${id} over ${wire}: ${claim}`, { found });
  });
});

t.test('a server that says yes to everything, or no, passes no inference', async (t) => {
  const yes = await failing(t, 200, '{}');
  t.same(
    yes.filter(({ wire, finding }) => wire.startsWith('rest') && finding.kind === 'pass'),
    [],
  );
  t.ok(requiredFailures(yes) > 150, `${requiredFailures(yes)} required failures`);
  const no = await failing(t, 500, '{"error":"no"}');
  const passed = no.filter(({ finding }) => finding.kind === 'pass').map((each) => each.case.id);
  // What may be refused with 500 somewhere, and what only asks for an error of any kind.
  t.ok(passed.length < 40, `${passed.length} passed`);
  t.same(
    passed.filter((id) => /^(inference|binary|core\.http)/.test(id)),
    [
      'core.http.model-ready.unknown',
      'inference.bytes.not-text',
      'inference.bytes.nul',
      'inference.bytes.nul',
    ],
  );
});

t.test('every case has a name of its own and says where it is written', async (t) => {
  const cases = everyCase();
  const ids = cases.map(({ id }) => id);
  t.equal(new Set(ids).size, ids.length);
  t.same(
    cases.filter(({ claim, reference, wires }) => !claim || !reference || wires.length === 0),
    [],
  );
});

t.test('the kit reads and writes elements as the protocol has them', async (t) => {
  t.same(pack('FP16', [1, -2, 2 ** -24, 65_504, -0]), bytesOf('003c00c00100ff7b0080'));
  t.same(unpack('FP16', bytesOf('003c007c00fc')), [1, Infinity, -Infinity]);
  t.same(unpack('FP16', bytesOf('007e')), [Number.NaN]);
  t.same(pack('BF16', [1, -2]), bytesOf('803f00c0'));
  t.same(pack('BYTES', ['a', '']), bytesOf('010000006100000000'));
  t.same(unpack('UINT64', bytesOf('ffffffffffffffff')), [2n ** 64n - 1n]);
  t.throws(() => unpack('INT32', bytesOf('0102')), /do not divide/);
  t.throws(() => unpack('BYTES', bytesOf('0500000061')), /before its length/);
  t.throws(() => pack('FP16', [0.1]), /not exactly representable/);
  t.equal(isDatatype('FLOAT'), false);
  t.equal(Object.keys(ELEMENT_BYTES).every(isDatatype), true);
});

t.test('the kit loses no digit of a number in JSON', async (t) => {
  const read = parseJson(
    '{"a":[9007199254740993, -0.0, NaN, -Infinity], "b":"x\\n\\u00e9", "c":null}',
  );
  t.same(
    isObject(read) && read['a'],
    ['9007199254740993', '-0.0', 'NaN', '-Infinity'].map((text) => new JsonNumber(text)),
  );
  t.equal(isObject(read) && read['b'], 'x\né');
  for (const text of ['', '{', '[1,]', '{"a" 1}', '1 2', '"', 'nul', '01x']) {
    t.throws(() => parseJson(text), /JSON/, text);
  }
});

t.test(
  'the kit sees a difference of one bit, and lets rounding pass only where it may',
  async (t) => {
    const line = { datatype: 'FP32', shape: [2], values: [0, 1] } as const;
    const expected = tensor('y', line);
    t.equal(difference(expected, tensor('y', line)), undefined);
    t.match(difference(expected, tensor('y', { ...line, values: [-0, 1] })), /-0 instead of 0/);
    t.match(difference(expected, tensor('y', { ...line, shape: [1, 2] })), /shape/);
    t.match(difference(expected, { ...expected, datatype: 'INT32' }), /datatype/);
    t.match(difference(expected, undefined), /no output/);
    t.match(difference(expected, { ...expected, bytes: bytesOf('00000000') }), /1 elements/);
    const near = tensor('y', { ...line, values: [1e-7, 1.0005] });
    t.match(difference(expected, near), /instead of 0/);
    t.equal(difference(expected, near, { absolute: 1e-6, relative: 1e-3 }), undefined);
  },
);

t.test(
  'a card counts what failed, says it in words, and fails only for what is required',
  async (t) => {
    const [required, extension] = [aResult('required'), aResult('extension')];
    t.equal(requiredFailures([required, extension]), 1);
    t.equal(requiredFailures([extension]), 0);
    const text = scorecard([required, extension]);
    t.match(text, /required: 0 of 1 passed/);
    t.match(text, /FAILED a\.required over http.*\n.*\n {2}expected 200; found 500/);
    t.match(JSON.parse(scorecardJson([extension])), {
      total: { extension: { passed: 0, failed: 1, skipped: 0 } },
      cases: [{ id: 'a.extension', result: 'failed', expected: '200', found: '500' }],
    });
  },
);

/** All HTTP cases on a server that gives one and the same answer. */
async function failing(
  { teardown }: { teardown: (work: () => void) => void },
  status: number,
  body: string,
): Promise<readonly Result[]> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(status).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const connection = await connect({ http: `http://127.0.0.1:${port}` });
  teardown(() => connection.close());
  const results: Result[] = [];
  // It says that every model is ready and every extension served, so that every case is run.
  const eager = { ...connection, advertises: () => true, isReady: async () => true };
  await runCases(everyCase(), eager, (result) => results.push(result));
  return results;
}

function aResult(level: 'required' | 'extension'): Result {
  return {
    case: { id: `a.${level}`, section: 'core', level, claim: 'it answers', reference: 'nowhere' },
    wire: 'http',
    finding: { kind: 'fail', request: 'GET /', expected: '200', found: '500' },
  };
}

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}
