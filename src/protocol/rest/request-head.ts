import { ServeError } from '../../core/errors.ts';
import {
  DTYPE_BYTES,
  DTYPES,
  type Dtype,
  elementCount,
  formatShape,
  isDtype,
} from '../../core/tensor.ts';
import {
  classCountOf,
  type Parameters,
  type RequestParameters,
  readParameters,
} from '../parameters.ts';
import { refusalOf, unexpected, wholeText } from '../refusal.ts';
import type { ByteRange, JsonHead } from './json-head.ts';

/** Where an input's bytes are: in the JSON, or in the binary part behind it. */
export type InputPlace =
  | { readonly kind: 'json'; readonly range: ByteRange }
  | { readonly kind: 'binary'; readonly sizeBytes: number };

export type InputHead = {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly place: InputPlace;
};

export type OutputHead = {
  readonly name: string;
  /** Undefined: as the request says for all. */
  readonly binary: boolean | undefined;
  /** How many classes are wanted in its place; undefined: the output itself. */
  readonly classes: number | undefined;
};

/** The part of an inference request that is not tensors, checked. */
export type RequestHead = {
  readonly id: string | undefined;
  readonly parameters: RequestParameters;
  readonly inputs: readonly InputHead[];
  readonly outputs: readonly OutputHead[] | undefined;
};

/**
 * @throws ServeError `invalid_input`, `too_large` or `unsupported`, saying what was expected and what was found, with the
 * request's id in front where it has one.
 */
export function parseRequestHead(
  head: JsonHead,
  limits: { readonly tensorsMax: number },
): RequestHead {
  const root = objectAt(head.value, 'request');
  const id = root['id'] === undefined ? undefined : stringAt(root['id'], 'id');
  try {
    return { id, ...contentAt(root, head.ranges, limits.tensorsMax) };
  } catch (thrown) {
    throw refusalOf(thrown, id);
  }
}

function contentAt(
  root: Json,
  ranges: readonly ByteRange[],
  tensorsMax: number,
): Omit<RequestHead, 'id'> {
  const parameters = readParameters(parametersAt(root['parameters'], 'the request'), 'http');
  const inputs = listAt(root['inputs'], 'inputs', tensorsMax);
  const outputs = root['outputs'];
  return {
    parameters,
    inputs: inputs.map((value, index) => inputAt(value, index, ranges)),
    outputs:
      outputs === undefined ? undefined : listAt(outputs, 'outputs', tensorsMax).map(outputAt),
  };
}

type Json = Readonly<Record<string, unknown>>;

function inputAt(value: unknown, index: number, ranges: readonly ByteRange[]): InputHead {
  const input = objectAt(value, `inputs[${index}]`);
  const name = stringAt(input['name'], `inputs[${index}].name`);
  const where = `input '${name}'`;
  const dtype = stringAt(input['datatype'], `datatype of ${where}`);
  if (!isDtype(dtype))
    throw unexpected(`datatype of ${where}`, `one of ${DTYPES.join(', ')}`, dtype);
  const shape = shapeAt(input['shape'], where, dtype);
  return { name, dtype, shape, place: placeAt(input, where, ranges) };
}

function placeAt(input: Json, where: string, ranges: readonly ByteRange[]): InputPlace {
  const parameters = parametersAt(input['parameters'], where);
  refuseSharedMemory(parameters, where);
  const size = parameters['binary_data_size'];
  const data = input['data'];
  if (size !== undefined && data !== undefined) {
    throw invalid(
      `unexpected 'data' for ${where}: expected exactly one of 'data' and 'binary_data_size', found both`,
    );
  }
  if (size !== undefined) {
    return { kind: 'binary', sizeBytes: countAt(size, `binary_data_size of ${where}`) };
  }
  if (data === undefined) {
    throw invalid(`no data for ${where}: expected 'data' or 'binary_data_size', found neither`);
  }
  // Arrays were cut out, and `[k]` stands for the k-th.
  const range = Array.isArray(data) ? ranges[Number(data[0])] : undefined;
  if (range === undefined) throw unexpected(`data of ${where}`, 'an array', data);
  return { kind: 'json', range };
}

function shapeAt(value: unknown, where: string, dtype: Dtype): readonly number[] {
  if (!Array.isArray(value)) throw unexpected(`shape of ${where}`, 'an array of numbers', value);
  if (value.length > DIMENSIONS_MAX) {
    throw unexpected(`shape of ${where}`, `at most ${DIMENSIONS_MAX} dimensions`, value.length);
  }
  const shape = value.map((dimension) => countAt(dimension, `dimension of ${where}`));
  const elements = elementCount(shape);
  // Written so that NaN is refused too: what beyond all bounds comes to times 0.
  if (!(elements <= Number.MAX_SAFE_INTEGER)) {
    throw invalid(
      `shape ${formatShape(shape)} for ${where} causes total element count to exceed maximum size of ${Number.MAX_SAFE_INTEGER}: found ${wholeText(elements)}`,
    );
  }
  if (elements * DTYPE_BYTES[dtype] > Number.MAX_SAFE_INTEGER) {
    throw invalid(
      `byte size overflow for ${where}: expected at most ${Number.MAX_SAFE_INTEGER} bytes, found ${elements} elements of ${dtype}`,
    );
  }
  return shape;
}

const DIMENSIONS_MAX = 32;

function outputAt(value: unknown, index: number): OutputHead {
  const output = objectAt(value, `outputs[${index}]`);
  const name = stringAt(output['name'], `outputs[${index}].name`);
  const where = `output '${name}'`;
  const parameters = parametersAt(output['parameters'], where);
  refuseSharedMemory(parameters, where);
  return {
    name,
    binary: flagAt(parameters['binary_data'], `binary_data of ${where}`),
    classes: classCountOf(parameters, name),
  };
}

function parametersAt(value: unknown, where: string): Parameters {
  if (value === undefined) return {};
  const parameters = objectAt(value, `parameters of ${where}`);
  for (const [name, parameter] of Object.entries(parameters)) {
    if (typeof parameter === 'object') {
      throw unexpected(`parameter '${name}' of ${where}`, 'a string, number or boolean', parameter);
    }
  }
  return parameters as Parameters;
}

function refuseSharedMemory(parameters: Parameters, where: string): void {
  if (parameters['shared_memory_region'] === undefined) return;
  throw new ServeError(
    'unsupported',
    `shared memory for ${where} is not served: expected data in the request, found 'shared_memory_region'`,
  );
}

function objectAt(value: unknown, where: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw unexpected(where, 'a JSON object', value);
  }
  return value as Json;
}

function listAt(value: unknown, where: string, lengthMax: number): readonly unknown[] {
  if (!Array.isArray(value)) throw unexpected(where, 'a JSON array', value);
  if (value.length <= lengthMax) return value;
  throw new ServeError(
    'too_large',
    `too many ${where}: expected at most ${lengthMax}, found ${value.length}`,
  );
}

function stringAt(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw unexpected(where, 'a string', value);
}

function flagAt(value: unknown, where: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw unexpected(where, 'true or false', value);
}

function countAt(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw unexpected(where, 'a whole number from 0', value);
}

function invalid(message: string): ServeError {
  return new ServeError('invalid_input', message);
}
