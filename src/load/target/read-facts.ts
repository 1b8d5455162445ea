import { DTYPES, type Dtype, isDtype, type TensorSpec } from '../../core/tensor.ts';
import type { TargetFacts } from '../nouns/target.ts';

/** A required part of an answer is missing; the message follows `found`. */
export class FactsError extends Error {}

/** What is not an object is one without fields: an answer is judged by the fields that are missed. */
function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** `triton 2.50.0`; undefined where the server gives no name. */
export function readServerName(metadata: unknown): string | undefined {
  const { name, version } = fieldsOf(metadata);
  if (typeof name !== 'string' || name === '') return undefined;
  return typeof version === 'string' && version !== '' ? `${name} ${version}` : name;
}

/**
 * A model's metadata. What a load can do without may be missing: versions, platform, and outputs of unknown datatypes, which are
 * left out. Throws a FactsError where an input cannot be understood.
 */
export function readModelFacts(metadata: unknown): Omit<TargetFacts, 'server'> {
  const { versions, platform, inputs, outputs } = fieldsOf(metadata);
  if (!Array.isArray(inputs)) throw new FactsError('an answer without `inputs`');
  return {
    platform: typeof platform === 'string' && platform !== '' ? platform : undefined,
    versions: Array.isArray(versions) ? versions.map(String) : [],
    signature: {
      inputs: inputs.map(readInput),
      outputs: Array.isArray(outputs) ? outputs.flatMap(readOutput) : [],
    },
  };
}

function readInput(input: unknown, index: number): TensorSpec {
  const { name, datatype, shape } = fieldsOf(input);
  if (typeof name !== 'string' || name === '')
    throw new FactsError(`input ${index} without a name`);
  const dtype = dtypeOf(datatype);
  if (dtype === undefined) {
    const found = JSON.stringify(datatype) ?? 'none';
    throw new FactsError(
      `the datatype ${found} of input ${name}, which is none of ${DTYPES.join(', ')}`,
    );
  }
  const dimensions = shapeOf(shape);
  if (dimensions === undefined) {
    throw new FactsError(`the shape ${JSON.stringify(shape) ?? 'none'} of input ${name}`);
  }
  return { name, dtype, shape: dimensions };
}

function readOutput(output: unknown): readonly TensorSpec[] {
  const { name, datatype, shape } = fieldsOf(output);
  const dtype = dtypeOf(datatype);
  if (typeof name !== 'string' || dtype === undefined) return [];
  return [{ name, dtype, shape: shapeOf(shape) ?? [] }];
}

/** Also as model configurations write it: `TYPE_FP32`, `TYPE_STRING`. */
function dtypeOf(datatype: unknown): Dtype | undefined {
  if (typeof datatype !== 'string') return undefined;
  const name = datatype.toUpperCase().replace(/^TYPE_/, '');
  if (name === 'STRING') return 'BYTES';
  return isDtype(name) ? name : undefined;
}

/** Dimensions may be digits, as protobuf's JSON has them. Free ones are -1, and null on some servers. */
function shapeOf(shape: unknown): readonly number[] | undefined {
  if (!Array.isArray(shape)) return undefined;
  const dimensions = shape.map((dimension) => (dimension === null ? -1 : Number(dimension)));
  return dimensions.every((each) => Number.isSafeInteger(each) && each >= -1)
    ? dimensions
    : undefined;
}

/** The models of a repository index with their versions: `fashion (1, 2)`. */
export function readModelNames(index: unknown): readonly string[] {
  const { models } = fieldsOf(index);
  const entries = Array.isArray(index) ? index : Array.isArray(models) ? models : [];
  const versionsOf = new Map<string, string[]>();
  for (const entry of entries) {
    const { name, version } = fieldsOf(entry);
    if (typeof name !== 'string' || name === '') continue;
    const versions = versionsOf.get(name) ?? [];
    if (typeof version === 'string' && version !== '') versions.push(version);
    versionsOf.set(name, versions);
  }
  return [...versionsOf].map(([name, versions]) =>
    versions.length === 0 ? name : `${name} (${versions.join(', ')})`,
  );
}
