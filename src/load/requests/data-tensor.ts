import { messageOf } from '../../core/errors.ts';
import {
  byteLengthOf,
  type Dtype,
  elementCount,
  formatShape,
  type Tensor,
  type TensorSpec,
} from '../../core/tensor.ts';
import { bytesOf, type Element, elementsOf, wholeRangeOf } from './elements.ts';
import { isJsonArray, isJsonObject, type Json, type JsonObject, showJson } from './exact-json.ts';
import { isBatched, type Shapes, shapeOf } from './input-shape.ts';

/** A tensor as the file has it: where it stands, what it must be, and the shapes that it does not say itself. */
export type DataTensor = {
  readonly place: string;
  readonly spec: TensorSpec;
  readonly shapes: Shapes;
};

const KEYS = ['content', 'b64', 'shape'];

/**
 * Reads one tensor: a list of elements, `{"content": ..., "shape": [...]}` or `{"b64": "...", "shape": [...]}`. Without a shape it is
 * one row.
 *
 * @throws Error that names the place, what was expected and what was found.
 */
export function dataTensor(value: Json, { place, spec, shapes }: DataTensor): Tensor {
  const { name, dtype } = spec;
  const said = isJsonObject(value) ? sizesOf(value, place) : undefined;
  const shape = shapeAt(place, spec, said === undefined ? shapes : { [name]: said });
  const head = { place, dtype, shape };
  const data = isJsonObject(value) ? fromObject(value, head) : fromContent(value, head);
  return { name, dtype, shape, data };
}

type Head = { readonly place: string; readonly dtype: Dtype; readonly shape: readonly number[] };

function shapeAt(place: string, spec: TensorSpec, shapes: Shapes): readonly number[] {
  const own = isBatched(spec) ? spec.shape.slice(1) : spec.shape;
  if (own.includes(-1) && !Object.hasOwn(shapes, spec.name)) {
    const open = `"shape", as ${formatShape(spec.shape)} leaves more open than the batch`;
    throw wrong(place, open, 'none');
  }
  return at(place, () => shapeOf(spec, { batch: 1, shapes }));
}

/** What `read` gives; the place stands in front of what it throws. */
function at<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${place}: ${messageOf(error)}`, { cause: error });
  }
}

function sizesOf(value: JsonObject, place: string): readonly number[] | undefined {
  const unknown = Object.keys(value).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw wrong(place, 'the keys content, b64 and shape', `"${unknown}"`);
  const { shape } = value as { readonly shape?: Json };
  if (shape === undefined) return undefined;
  if (!isJsonArray(shape)) throw wrong(`${place}.shape`, 'a list', showJson(shape));
  return shape.map((size, axis) => {
    if (typeof size === 'number') return size;
    throw wrong(`${place}.shape[${axis}]`, 'a number', showJson(size));
  });
}

function fromObject(value: JsonObject, head: Head): Uint8Array {
  const { content, b64 } = value as { readonly content?: Json; readonly b64?: Json };
  const { place } = head;
  if ((content === undefined) === (b64 === undefined)) {
    throw wrong(place, 'either content or b64', content === undefined ? 'neither' : 'both');
  }
  if (content === undefined) return fromBase64(b64, { ...head, place: `${place}.b64` });
  const inner = { ...head, place: `${place}.content` };
  if (!isJsonObject(content)) return fromContent(content, inner);
  const other = Object.keys(content).find((key) => key !== 'b64');
  if (other !== undefined) throw wrong(inner.place, 'the key b64', `"${other}"`);
  return fromBase64(content['b64'], { ...head, place: `${inner.place}.b64` });
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function fromBase64(value: Json | undefined, { place, dtype, shape }: Head): Uint8Array {
  if (typeof value !== 'string' || value.length % 4 !== 0 || !BASE64.test(value)) {
    throw wrong(place, 'base64, filled up with = to a multiple of four', showJson(value));
  }
  const data = new Uint8Array(Buffer.from(value, 'base64'));
  const bytes = byteLengthOf(dtype, shape);
  if (bytes !== undefined) {
    if (data.byteLength === bytes) return data;
    throw wrong(place, `${bytes} bytes for ${dtype} ${formatShape(shape)}`, `${data.byteLength}`);
  }
  const texts = at(place, () => elementsOf('BYTES', data));
  checkCount(texts.length, { place, dtype, shape });
  return data;
}

/**
 * The bytes of a list of elements, nested or flat, row by row. Throws an Error that names the place of the element that is wrong.
 */
export function fromContent(content: Json | undefined, head: Head): Uint8Array {
  const { place, dtype } = head;
  if (!isJsonArray(content)) throw wrong(place, 'a list of elements', showJson(content));
  const read = elementReader(dtype);
  const elements: Element[] = [];
  collect(content, place, (value) => elements.push(read(value)));
  checkCount(elements.length, head);
  return bytesOf(dtype, elements);
}

function collect(list: readonly Json[], place: string, take: (value: Json) => void): void {
  for (const [index, value] of list.entries()) {
    if (isJsonArray(value)) {
      collect(value, `${place}[${index}]`, take);
      continue;
    }
    try {
      take(value);
    } catch (error) {
      throw new Error(`${place}[${index}]: ${messageOf(error)}`, { cause: error });
    }
  }
}

function checkCount(found: number, { place, dtype, shape }: Head): void {
  const expected = elementCount(shape);
  if (found === expected) return;
  throw wrong(place, `${expected} elements for ${dtype} ${formatShape(shape)}`, `${found}`);
}

type ReadElement = (value: Json) => Element;

function elementReader(dtype: Dtype): ReadElement {
  const limit = FLOAT_LIMITS[dtype];
  if (limit !== undefined) return (value) => floatOf(value, dtype, limit);
  const range = wholeRangeOf(dtype);
  if (range === undefined) return textOf;
  const wanted =
    dtype === 'BOOL' ? 'true, false, 0 or 1' : `${dtype}, ${range.min} to ${range.max}`;
  return (value) => {
    if (dtype === 'BOOL' && typeof value === 'boolean') return value ? 1 : 0;
    const isWhole = typeof value === 'bigint' || isWholeNumber(value);
    if (isWhole && value >= range.min && value <= range.max) return value;
    throw new Error(`expected ${wanted}, found ${showJson(value)}`);
  };
}

/** The least number that is rounded to infinity: halfway from the greatest to what would follow it. */
const FLOAT_LIMITS: Partial<Readonly<Record<Dtype, number>>> = {
  FP16: 2 ** 16 - 2 ** 4,
  BF16: 2 ** 128 - 2 ** 119,
  FP32: 2 ** 128 - 2 ** 103,
  FP64: Number.POSITIVE_INFINITY,
};

function floatOf(value: Json, dtype: Dtype, limit: number): number {
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw new Error(`expected a number for ${dtype}, found ${showJson(value)}`);
  }
  const number = Number(value);
  if (Math.abs(number) < limit || !Number.isFinite(number)) return number;
  throw new Error(`expected a number within the range of ${dtype}, found ${showJson(value)}`);
}

function textOf(value: Json): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value);
  throw new Error(`expected a string, found ${showJson(value)}`);
}

function isWholeNumber(value: Json): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

function wrong(place: string, expected: string, found: string): Error {
  return new Error(`${place}: expected ${expected}, found ${found}`);
}
