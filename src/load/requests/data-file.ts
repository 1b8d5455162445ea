/**
 * Samples from a JSON file, in the form of the input files of Triton's perf_analyzer: `{"data": [...], "validation_data": [...]}`. Each
 * entry of `data` has all inputs of one request by name, each of `validation_data` the outputs that the request in the same place
 * must be answered with, or some of them. Entries may be grouped in lists, as perf_analyzer has them for sequences; here each entry
 * is a request of its own.
 */
import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '../../core/errors.ts';
import type { Signature, Tensor, TensorSpec } from '../../core/tensor.ts';
import type { Sample } from '../nouns/sample.ts';
import { dataTensor } from './data-tensor.ts';
import {
  isJsonArray,
  isJsonObject,
  type Json,
  type JsonObject,
  NotJsonError,
  offsetIn,
  parseExactJson,
  showJson,
} from './exact-json.ts';
import { checkInputs, quoted, type Shapes } from './input-shape.ts';

/** No more fits one string of the runtime. */
const FILE_BYTES_MAX = 500_000_000;
const SAMPLES_MAX = 1_000_000;

export type DataOptions = {
  /** Of inputs with free dimensions, for entries that do not say a shape themselves. */
  readonly shapes: Shapes;
};

/** Reads a file. Rejects with an Error that names the file, the place in it, what was expected and what was found. */
export async function readDataFile(
  file: string,
  signature: Signature,
  options: DataOptions,
): Promise<Sample[]> {
  try {
    const { size } = await stat(file);
    if (size > FILE_BYTES_MAX) {
      throw new Error(`expected at most ${FILE_BYTES_MAX} bytes, found ${size}`);
    }
    return samplesOf({ file, text: await readFile(file, 'utf8') }, signature, options);
  } catch (error) {
    if (error instanceof PlacedError) throw error;
    throw new Error(`${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** A mistake whose message begins with its place: `file:line:column `. */
class PlacedError extends Error {}

type DataFile = { readonly file: string; readonly text: string };

function samplesOf({ file, text }: DataFile, signature: Signature, options: DataOptions): Sample[] {
  try {
    return dataSamples(text, signature, options);
  } catch (error) {
    const at = offsetOf(text, error);
    const before = text.slice(0, at).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    const message = `${file}:${before.length}:${column} ${messageOf(error)}`;
    throw new PlacedError(message, { cause: error });
  }
}

function offsetOf(text: string, error: unknown): number {
  if (error instanceof NotJsonError) return error.at;
  // Names of inputs may have dots in them; the nearest place is good enough then.
  const place = /^((?:data|validation_data)\S*): /.exec(messageOf(error))?.[1] ?? '';
  return offsetIn(text, place.split(/[.[\]]+/).filter(Boolean));
}

/** The samples in a file's text. Throws an Error that names the place in it, what was expected and what was found. */
export function dataSamples(text: string, signature: Signature, { shapes }: DataOptions): Sample[] {
  checkInputs(signature, { batch: 1, shapes });
  const top = parseExactJson(text);
  if (!isJsonObject(top)) throw wrong('the file', 'an object', showJson(top));
  const unknown = Object.keys(top).find((key) => key !== 'data' && key !== 'validation_data');
  if (unknown !== undefined) throw wrong('the file', '"data", "validation_data"', `"${unknown}"`);
  const entries = entriesOf(top['data'], 'data');
  if (entries.length === 0) throw wrong('data', 'at least one entry', 'none');
  const expected = top['validation_data'];
  const answers = expected === undefined ? undefined : entriesOf(expected, 'validation_data');
  if (answers !== undefined && answers.length !== entries.length) {
    throw wrong('validation_data', `${entries.length} entries, as in data`, `${answers.length}`);
  }
  return entries.map((entry, index) => {
    const inputs = tensorsOf(entry, signature.inputs, shapes);
    checkAllThere(entry, signature.inputs);
    const answer = answers?.[index];
    if (answer === undefined) return { inputs };
    return { inputs, expected: tensorsOf(answer, signature.outputs, {}) };
  });
}

type Entry = { readonly place: string; readonly value: JsonObject };

function entriesOf(value: Json | undefined, place: string): readonly Entry[] {
  const list = listAt(value, place);
  const entries = list.flatMap((item, index) => {
    const at = `${place}[${index}]`;
    if (!isJsonArray(item)) return [entryAt(item, at)];
    return item.map((inner, step) => entryAt(inner, `${at}[${step}]`));
  });
  if (entries.length <= SAMPLES_MAX) return entries;
  throw wrong(place, `at most ${SAMPLES_MAX} entries`, `${entries.length}`);
}

function listAt(value: Json | undefined, place: string): readonly Json[] {
  if (isJsonArray(value)) return value;
  throw wrong(place, 'a list', showJson(value));
}

function entryAt(value: Json, place: string): Entry {
  if (isJsonObject(value)) return { place, value };
  throw wrong(place, 'an object of tensors by name', showJson(value));
}

function tensorsOf(
  { place, value }: Entry,
  specs: readonly TensorSpec[],
  shapes: Shapes,
): readonly Tensor[] {
  const names = specs.map(({ name }) => name);
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) throw wrong(place, quoted(names), `"${unknown}"`);
  return specs.flatMap((spec) => {
    const found = value[spec.name];
    if (found === undefined) return [];
    return [dataTensor(found, { place: `${place}.${spec.name}`, spec, shapes })];
  });
}

function checkAllThere({ place, value }: Entry, inputs: readonly TensorSpec[]): void {
  const missing = inputs.find(({ name }) => value[name] === undefined);
  if (missing !== undefined) throw wrong(`${place}.${missing.name}`, 'a tensor', 'nothing');
}

function wrong(place: string, expected: string, found: string): Error {
  return new Error(`${place}: expected ${expected}, found ${found}`);
}
