import type { FailureKind } from '../core/failure-kind.ts';
import type { Joining } from '../core/joining.ts';
import type { Observation } from '../core/outcome.ts';
import {
  byteLengthOf,
  formatShape,
  rowsGiven,
  type Signature,
  type Tensor,
} from '../core/tensor.ts';
import type { Work } from '../core/work.ts';

/**
 * What is wrong with a model's answer by its own declaration, in words: datatype, rank, fixed dimensions, the bytes that the shape
 * promises, and the rows of the request where those are given. Undefined: it fits. An output that declares no dimensions may have
 * any: a file that says nothing of a shape reads the same as one that says scalar.
 */
export function whyAnswerUnfit(
  outputs: readonly Tensor[],
  signature: Signature,
  rows?: number,
): string | undefined {
  for (const output of outputs) {
    const spec = signature.outputs.find(({ name }) => name === output.name);
    if (spec === undefined) return `output '${output.name}' is not declared`;
    const { name, dtype, shape, data } = output;
    if (dtype !== spec.dtype) {
      return `output '${name}': expected datatype ${spec.dtype} as declared, found ${dtype}`;
    }
    if (!fits(shape, spec.shape)) {
      return `output '${name}': expected shape ${formatShape(spec.shape)} as declared, found ${formatShape(shape)}`;
    }
    if (rows !== undefined && shape[0] !== rows) {
      return `output '${name}': expected ${rows} rows as requested, found shape ${formatShape(shape)}`;
    }
    const bytes = byteLengthOf(dtype, shape);
    if (bytes !== undefined && bytes !== data.byteLength) {
      return `output '${name}': expected ${bytes} bytes for shape ${formatShape(shape)}, found ${data.byteLength}`;
    }
  }
  return undefined;
}

/** What callers know of stable's answers: what these keep to of its declaration, and whether its requests share runs. */
export type StableForm = { readonly signature: Signature; readonly joining: Joining | undefined };

/** What is wrong with an answer, and in words. */
export type Unfit = { readonly kind: FailureKind & ('missing' | 'shape'); readonly why: string };

/**
 * What is wrong with an answer of a version on trial by what stable promises; undefined: who reads stable's answers can
 * read this one. The runtime takes what a graph comes to for its declaration, and so a candidate may promise less than its file
 * does. Where stable's requests share runs, and nothing speaks against that, answers have the rows of the request.
 */
export function whyUnlikeStable(
  outputs: readonly Tensor[],
  { signature, joining }: StableForm,
  request: Pick<Work, 'inputs' | 'outputs'>,
): Unfit | undefined {
  const absent = absentOutput(outputs, signature, request.outputs);
  if (absent !== undefined) {
    const found = outputs.map(({ name }) => `'${name}'`).join(', ') || 'no outputs';
    return { kind: 'missing', why: `expected output '${absent}', found ${found}` };
  }
  const known = outputs.filter(({ name }) => signature.outputs.some((spec) => spec.name === name));
  const rows = keepsRows(joining) ? rowsGiven(request.inputs, signature) : undefined;
  const why = whyAnswerUnfit(known, signature, rows);
  return why === undefined ? undefined : { kind: 'shape', why };
}

/** The first output that the signature declares and the caller wants, and that is not there; `wanted` undefined: all are wanted. */
export function absentOutput(
  outputs: readonly Tensor[],
  signature: Signature,
  wanted: readonly string[] | undefined,
): string | undefined {
  for (const { name } of signature.outputs) {
    if (wanted !== undefined && !wanted.includes(name)) continue;
    if (!outputs.some((output) => output.name === name)) return name;
  }
  return undefined;
}

function keepsRows(joining: Joining | undefined): boolean {
  if (joining?.kind === 'declared') return joining.doubt === undefined;
  return joining?.kind === 'probed';
}

/** The same run, or its failure where it is not in stable's form. */
export function heldToStable(
  run: Observation,
  stable: StableForm,
  request: Pick<Work, 'inputs' | 'outputs'>,
): Observation {
  if (run.kind === 'failure') return run;
  const unfit = whyUnlikeStable(run.outputs, stable, request);
  if (unfit === undefined) return run;
  const message = `the model's answer, beside stable's: ${unfit.why}`;
  return { kind: 'failure', code: 'runtime_failed', message, failureKind: unfit.kind };
}

function fits(shape: readonly number[], declared: readonly number[]): boolean {
  if (declared.length === 0) return true;
  if (shape.length !== declared.length) return false;
  for (let axis = 0; axis < declared.length; axis += 1) {
    if (declared[axis] !== -1 && declared[axis] !== shape[axis]) return false;
  }
  return true;
}
