import type { Tensor } from '../../../src/core/tensor.ts';
import { floats } from '../../../src/repository/onnx-writer.ts';

/** Numbers from -1 to 1 without a pattern, the same every time. */
const scatter = (count: number) => Array.from({ length: count }, (_, at) => Math.sin(at * 7 + 1));

/** An int64 list. */
function wholes(name: string, values: readonly number[]): Tensor {
  const data = new BigInt64Array(values.map(BigInt));
  return { name, dtype: 'INT64', shape: [values.length], data: new Uint8Array(data.buffer) };
}

function whole(name: string, value: number): Tensor {
  return { ...wholes(name, [value]), shape: [] };
}

function bytes(head: Omit<Tensor, 'data'>, list: readonly number[]): Tensor {
  return { ...head, data: Uint8Array.from(list) };
}

const codes = (count: number) => scatter(count).map((value) => Math.round(128 + value * 100));

/** What plans may use by name. */
export const WEIGHTS: readonly Tensor[] = [
  floats('w44', [4, 4], scatter(16)),
  floats('w48', [4, 8], scatter(32)),
  floats('w84', [8, 4], scatter(32)),
  floats('w42', [4, 2], scatter(8)),
  floats('w4', [4], scatter(4)),
  floats('ones', [4], [1, 1, 1, 1]),
  floats('none4', [4], [0, 0, 0, 0]),
  floats('one1', [1], [1]),
  floats('half', [], [0.5]),
  floats('half1', [1], [0.5]),
  floats('three', [], [3]),
  floats('five', [], [5]),
  floats('fifty', [], [50]),
  floats('w2', [2], [0.5, 1.5]),
  floats('w114', [1, 1, 4], scatter(4)),
  floats('twofold', [4], [1, 1, 2, 1]),
  floats('halved', [4], [1, 1, 0.5, 1]),
  floats('hundred', [], [100]),
  floats('fiftieth', [], [0.02]),
  floats('nil', [], [0]),
  floats('table', [10, 4], scatter(40)),
  floats('conv', [4, 4, 3], scatter(48)),
  floats('conv2d', [3, 2, 3, 3], scatter(54)),
  floats('conv2b', [3, 3, 3, 3], scatter(81)),
  floats('depthwise', [2, 1, 3, 3], scatter(18)),
  floats('upwards', [2, 3, 2, 2], scatter(24)),
  floats('w3', [3], [0.5, 1, 1.5]),
  floats('w34', [3, 4], scatter(12)),
  floats('lstmW', [1, 16, 4], scatter(64)),
  floats('lstmR', [1, 16, 4], scatter(64)),
  floats('gruW', [1, 12, 4], scatter(48)),
  floats('gruR', [1, 12, 4], scatter(48)),
  floats('scales', [4], [1, 1, 2, 2]),
  floats('grid', [1, 2, 2, 2], [-0.5, -0.5, 0.5, -0.5, -0.5, 0.5, 0.5, 0.5]),
  floats('empty', [0], []),
  floats('attend', [4, 12], scatter(48)),
  floats('attendB', [12], scatter(12)),
  bytes({ name: 'q44', dtype: 'UINT8', shape: [4, 4] }, codes(16)),
  bytes({ name: 'q128', dtype: 'UINT8', shape: [] }, [128]),
  bytes({ name: 'yes', dtype: 'BOOL', shape: [] }, [1]),
  bytes({ name: 'no', dtype: 'BOOL', shape: [] }, [0]),
  wholes('zero', [0]),
  wholes('one', [1]),
  wholes('two', [2]),
  wholes('three1', [3]),
  wholes('four1', [4]),
  wholes('minus1', [-1]),
  wholes('minus2', [-2]),
  wholes('end', [2 ** 53]),
  wholes('billion', [1_000_000_000]),
  wholes('toRows', [-1, 4]),
  wholes('toRow', [1, -1]),
  wholes('toList', [-1]),
  wholes('toPairs', [-1, 2, 4]),
  wholes('toHeads', [0, -1, 2, 2]),
  wholes('toWide4', [0, 0, 4]),
  wholes('lengths', [1]),
  wholes('toFlat', [0, 4]),
  wholes('fourToRows', [4, -1]),
  wholes('twoAndAll', [2, -1]),
  wholes('toFirst', [1, 4]),
  wholes('twice', [2, 1]),
  wholes('twiceWide', [1, 2]),
  wholes('padWide', [0, 1, 0, 1]),
  wholes('manyOf4', [-1, 4]),
  { ...wholes('first', [0]), shape: [1, 1] },
  { ...wholes('positions', [0, 1, 2, 3, 4, 5, 6, 7]), shape: [1, 8] },
  wholes('toLayers', [1, 2, 4]),
  wholes('five1', [5]),
  wholes('toWindows', [-1, 2, 2, 2, 2, 2]),
  wholes('toTokens', [-1, 4, 2]),
  wholes('fromTokens', [-1, 2, 2, 2, 2, 2]),
  wholes('toPicture', [-1, 4, 4, 2]),
  wholes('toGroups', [0, 2, -1]),
  whole('twenty', 20),
  whole('two0', 2),
  whole('zeroth', 0),
  whole('thrice', 3),
  whole('at1', 1),
];
