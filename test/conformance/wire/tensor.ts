import { type Datatype, elementCount, pack, unpack, type Value } from './datatype.ts';

/** A tensor as the kit holds it: raw bytes, from any wire. */
export type KitTensor = {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
};

export type TensorLine = {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly values: readonly Value[];
};

/** A tensor of these values. Throws where they are not as many as the shape says: a case that is wrong itself. */
export function tensor(name: string, { datatype, shape, values }: TensorLine): KitTensor {
  if (values.length !== elementCount(shape)) {
    throw new Error(`${name}: ${values.length} values for shape [${shape}]`);
  }
  return { name, datatype, shape, bytes: pack(datatype, values) };
}

/** How far numbers may lie apart: `absolute + relative * |expected|`. Undefined: bit by bit, but for the payload of a NaN. */
export type Tolerance = { readonly absolute: number; readonly relative: number };

/** Where two tensors differ, in words; undefined where they do not. */
export function difference(
  expected: KitTensor,
  found: KitTensor | undefined,
  tolerance?: Tolerance,
): string | undefined {
  const { name } = expected;
  if (found === undefined) return `no output ${name}`;
  if (found.datatype !== expected.datatype) {
    return `${name}: datatype ${found.datatype} instead of ${expected.datatype}`;
  }
  if (String(found.shape) !== String(expected.shape)) {
    return `${name}: shape [${found.shape}] instead of [${expected.shape}]`;
  }
  return valueDifference(expected, found, tolerance);
}

function valueDifference(
  { name, datatype, bytes }: KitTensor,
  found: KitTensor,
  tolerance: Tolerance | undefined,
): string | undefined {
  let theirs: readonly Value[];
  try {
    theirs = unpack(datatype, found.bytes);
  } catch (error) {
    return `${name}: ${error instanceof Error ? error.message : error}`;
  }
  const ours = unpack(datatype, bytes);
  if (theirs.length !== ours.length) {
    return `${name}: ${theirs.length} elements instead of ${ours.length}`;
  }
  const at = ours.findIndex((value, index) => !isSame(value, theirs[index], tolerance));
  if (at < 0) return undefined;
  return `${name}[${at}]: ${show(theirs[at])} instead of ${show(ours[at])}`;
}

function isSame(expected: Value, found: Value | undefined, tolerance?: Tolerance): boolean {
  if (expected instanceof Uint8Array) {
    return found instanceof Uint8Array && Buffer.compare(expected, found) === 0;
  }
  if (Object.is(expected, found)) return true;
  if (tolerance === undefined) return false;
  const [wanted, got] = [Number(expected), Number(found)];
  if (wanted === got) return true;
  return Math.abs(wanted - got) <= tolerance.absolute + tolerance.relative * Math.abs(wanted);
}

/** An element as text. */
export function show(value: Value | undefined): string {
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('latin1'));
  return Object.is(value, -0) ? '-0' : String(value);
}
