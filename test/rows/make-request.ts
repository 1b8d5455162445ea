import type { Random } from '../../src/core/random.ts';
import {
  ELEMENT_BYTES,
  elementCount,
  pack,
  unpack,
  type Value,
} from '../conformance/wire/datatype.ts';
import type { KitTensor } from '../conformance/wire/tensor.ts';
import type { Examinee } from './examinee.ts';

const ROWS_MAX = 6;
/** In place of free dimensions behind the first: every second request has the usual one, so that requests share runs. */
const USUAL_SIZE = 3;
const SIZE_MAX = 5;
/** Every so many requests hold a number that is rare; every so many, numbers at the edge of what there is. */
const EVERY = { rare: 5, edge: 11 } as const;
const EDGES = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30, -1e30, -0];

/** The inputs of request number `at`. Equal seeds make equal requests. */
export function makeRequest(model: Examinee, at: number, random: Random): readonly KitTensor[] {
  const rows = 1 + random.integer(at % 2 === 0 ? 2 : ROWS_MAX);
  const { example } = model;
  return example === undefined
    ? fresh(model, at, { rows, random })
    : varied(example, { rows, random });
}

type Making = { readonly rows: number; readonly random: Random };

function fresh({ inputs, below }: Examinee, at: number, { rows, random }: Making) {
  const free = at % 2 === 0 ? USUAL_SIZE : 1 + random.integer(SIZE_MAX);
  return inputs.map(({ name, dtype, shape }): KitTensor => {
    const sizes = shape.map((size, axis) => (size >= 0 ? size : axis === 0 ? rows : free));
    const count = elementCount(sizes);
    const isFloat = dtype.startsWith('FP');
    const draw = (): Value => {
      if (isFloat) return random.unit() * 2 - 1;
      return dtype === 'INT64' ? BigInt(random.integer(below)) : random.integer(below);
    };
    const values = Array.from({ length: count }, draw);
    if (isFloat) values[random.integer(count)] = special(at, random) ?? draw();
    return { name, datatype: dtype, shape: sizes, bytes: pack(dtype, values) };
  });
}

function special(at: number, random: Random): number | undefined {
  if (at % EVERY.edge === EVERY.edge - 1) return EDGES[random.integer(EDGES.length)];
  return at % EVERY.rare === 0 ? 3 + random.unit() * 6 : undefined;
}

/** Rows of the example in another order and number; numbers of 32 and 64 bits are scaled too. */
function varied(example: readonly KitTensor[], { rows, random }: Making): readonly KitTensor[] {
  const own = example[0]?.shape[0] ?? 0;
  return example.map((tensor) => {
    const found = tensor.shape[0] === own && own > 0 ? rowsOf(tensor, { rows, random }) : tensor;
    return tensor.datatype === 'FP32' || tensor.datatype === 'FP64'
      ? stretched(found, random)
      : found;
  });
}

function rowsOf(tensor: KitTensor, { rows, random }: Making): KitTensor {
  const { datatype, shape, bytes } = tensor;
  const [own = 0, ...rest] = shape;
  if (ELEMENT_BYTES[datatype] === 0) {
    const values = unpack(datatype, bytes);
    const width = values.length / own;
    const picked = Array.from({ length: rows }, () => random.integer(own)).flatMap((row) =>
      values.slice(row * width, (row + 1) * width),
    );
    return { ...tensor, shape: [rows, ...rest], bytes: pack(datatype, picked) };
  }
  const width = bytes.length / own;
  const picked = Array.from({ length: rows }, () => random.integer(own)).map((row) =>
    bytes.subarray(row * width, (row + 1) * width),
  );
  return { ...tensor, shape: [rows, ...rest], bytes: Buffer.concat(picked) };
}

function stretched(tensor: KitTensor, random: Random): KitTensor {
  const { datatype, bytes } = tensor;
  const factor = 0.5 + random.unit();
  const values = unpack(datatype, bytes).map((value) => Number(value) * factor);
  return { ...tensor, bytes: pack(datatype, values) };
}
