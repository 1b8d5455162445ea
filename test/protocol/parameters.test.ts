import fc from 'fast-check';
import t from 'tap';
import { ServeError } from '../../src/core/errors.ts';
import {
  classCountOf,
  type Parameters,
  readParameters,
  type Wire,
} from '../../src/protocol/parameters.ts';
import { unexpected } from '../../src/protocol/refusal.ts';

t.test('nothing said means the defaults', async (t) => {
  t.same(readParameters({}, 'http'), {
    sequenceId: undefined,
    sequenceStart: false,
    sequenceEnd: false,
    priority: 0,
    timeoutMs: undefined,
    binaryDataOutput: false,
    emptyFinalResponse: false,
  });
});

t.test('a sequence id is text; 0 and the empty one are none', async (t) => {
  const idOf = (sequence_id: string | number | bigint) =>
    readParameters({ sequence_id }, 'grpc').sequenceId;
  t.equal(idOf('a'), 'a');
  t.equal(idOf(7), '7');
  t.equal(idOf(2n ** 64n - 1n), '18446744073709551615');
  for (const none of ['', 0, 0n]) t.equal(idOf(none), undefined);
});

t.test('all that is said is read in its unit', async (t) => {
  const said: Parameters = {
    sequence_id: 1n,
    sequence_start: true,
    sequence_end: true,
    priority: 2n,
    timeout: 1_500,
    binary_data_output: true,
    triton_enable_empty_final_response: true,
    mine: 1.5,
  };
  t.same(readParameters(said, 'grpc'), {
    sequenceId: '1',
    sequenceStart: true,
    sequenceEnd: true,
    priority: 2,
    timeoutMs: 1.5,
    binaryDataOutput: true,
    emptyFinalResponse: true,
  });
  t.equal(readParameters({ timeout: 0 }, 'http').timeoutMs, undefined);
});

const REFUSED: readonly [Wire, Parameters, RegExp][] = [
  ['http', { triton_x: 1 }, /'triton_x': expected no name that starts with 'triton_'/],
  ['http', { triton_enable_empty_final_response: true }, /reserved/],
  ['grpc', { triton_x: 1 }, /reserved/],
  ['grpc', { triton_enable_empty_final_response: 1n }, /expected true or false, found 1/],
  ['http', { sequence_id: -1 }, /sequence_id: expected a string, or a whole number.*found -1/],
  ['http', { sequence_id: 2 ** 53 }, /sequence_id: expected a string/],
  ['http', { sequence_id: true }, /sequence_id: expected a string/],
  ['grpc', { sequence_id: -1n }, /sequence_id: expected a string/],
  ['http', { sequence_start: 'yes' }, /sequence_start: expected true or false, found "yes"/],
  ['http', { sequence_end: 1 }, /sequence_end: expected true or false/],
  ['http', { priority: 1.5 }, /priority: expected a whole number from 0 .*found 1.5/],
  ['grpc', { priority: -1n }, /priority: expected a whole number from 0 .*found -1/],
  ['http', { timeout: '5' }, /timeout: expected a whole number from 0/],
  ['grpc', { timeout: 2n ** 63n }, /timeout: expected a whole number from 0/],
  ['http', { binary_data_output: 1 }, /binary_data_output: expected true or false/],
];

t.test('a value that its name does not allow is refused', async (t) => {
  for (const [wire, parameters, message] of REFUSED) {
    t.throws(() => readParameters(parameters, wire), { code: 'invalid_input', message });
  }
});

t.test('any parameters are read or refused as input', async () => {
  const value = fc.oneof(fc.string(), fc.double(), fc.integer(), fc.bigInt(), fc.boolean());
  const name = fc.oneof(
    fc.constantFrom('sequence_id', 'priority', 'timeout', 'sequence_start', 'triton_a'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.dictionary(name, value), fc.constantFrom('http', 'grpc'), (said, wire) => {
      try {
        const { timeoutMs, priority } = readParameters(said, wire);
        return priority >= 0 && (timeoutMs === undefined || timeoutMs > 0);
      } catch (thrown) {
        return thrown instanceof ServeError && thrown.code === 'invalid_input';
      }
    }),
  );
});

t.test('a count of classes is a whole number from 1', async (t) => {
  t.equal(classCountOf({}, 'y'), undefined);
  t.equal(classCountOf({ classification: 3 }, 'y'), 3);
  t.equal(classCountOf({ classification: 3n }, 'y'), 3);
  for (const wrong of [0, -1n, 1.5, '3', true]) {
    t.throws(() => classCountOf({ classification: wrong }, 'y'), {
      code: 'invalid_input',
      message: /classification of output 'y': expected a whole number from 1/,
    });
  }
});

t.test('a number that is refused is shown whole', (t) => {
  for (const [found, shown] of [
    [1e21, '1000000000000000000000'],
    [-1e25, '-10000000000000000905969664'],
    [1.5, '1.5'],
    [1e300, '1e+300'],
  ] as const) {
    t.match(unexpected('dimension', 'less', found).message, `found ${shown}`);
  }
  t.end();
});
