import { ServeError } from '../core/errors.ts';
import type { InferRequest } from '../core/infer.ts';
import {
  byteLengthOf,
  formatShape,
  isBatchable,
  requiredInputs,
  type Signature,
  type Tensor,
  type TensorSpec,
} from '../core/tensor.ts';
import { checkStringCount, checkStrings } from './check-strings.ts';

/** What a request must not go beyond, even where the model could take it. */
export type RequestLimits = {
  /** Rows of one request, for models whose requests may share a run; Infinity: batching is off, and nothing counts as rows. */
  readonly rowsMax: number;
};

/**
 * Holds a request against the model's signature: names, datatypes, shapes, byte sizes, rows and wanted outputs.
 * @throws ServeError `invalid_input`, or `too_large` for more strings than a request may have, saying what was expected and found.
 */
export function checkRequest(
  request: Pick<InferRequest, 'model' | 'inputs' | 'outputs'>,
  signature: Signature,
  limits: RequestLimits,
): void {
  checkNames(request, signature);
  checkStringCount(request.inputs);
  for (const tensor of request.inputs) {
    const spec = signature.inputs.find((each) => each.name === tensor.name);
    if (spec !== undefined) checkTensor(tensor, spec, request.model);
  }
  if (limits.rowsMax < Infinity && isBatchable(signature)) {
    const required = new Set(requiredInputs(signature).map(({ name }) => name));
    const inputs = request.inputs.filter(({ name }) => required.has(name));
    checkRows({ ...request, inputs }, limits.rowsMax);
  }
  checkOutputs(request, signature);
}

/** Why a version with this signature does not take a request; undefined: it does. */
export function refusalOf(...checked: Parameters<typeof checkRequest>): ServeError | undefined {
  try {
    checkRequest(...checked);
    return undefined;
  } catch (error) {
    if (error instanceof ServeError) return error;
    throw error;
  }
}

type Checked = Pick<InferRequest, 'model' | 'inputs' | 'outputs'>;

function checkNames({ model, inputs }: Checked, signature: Signature): void {
  const known = signature.inputs.map((spec) => spec.name);
  const expected = requiredInputs(signature).map((spec) => spec.name);
  const found = inputs.map((tensor) => tensor.name);
  for (const name of found) {
    if (!known.includes(name)) {
      throw invalid(
        `unexpected inference input '${name}' for model '${model}'. Expected ${list(known)}, got '${name}'`,
      );
    }
  }
  const twice = found.find((name, index) => found.indexOf(name) !== index);
  if (twice !== undefined) {
    throw invalid(`input '${twice}' for model '${model}' is given twice. Expected it once`);
  }
  const missing = expected.filter((name) => !found.includes(name));
  if (missing.length > 0) {
    throw invalid(
      `expected ${expected.length} inputs but got ${found.length} inputs for model '${model}'. ` +
        `Got input(s) [${list(found)}], but missing required input(s) [${list(missing)}]. ` +
        'Please provide all required input(s).',
    );
  }
}

function checkTensor(tensor: Tensor, spec: TensorSpec, model: string): void {
  const where = `input '${tensor.name}' for model '${model}'`;
  if (tensor.dtype !== spec.dtype) {
    throw invalid(`unexpected datatype for ${where}. Expected ${spec.dtype}, got ${tensor.dtype}`);
  }
  if (!fits(tensor.shape, spec.shape)) {
    throw invalid(
      `unexpected shape for ${where}. Expected ${formatShape(spec.shape)}, got ${formatShape(tensor.shape)}`,
    );
  }
  const expected = byteLengthOf(tensor.dtype, tensor.shape);
  if (expected === undefined) checkStrings(tensor, where);
  else if (tensor.data.byteLength !== expected) {
    throw invalid(
      `input byte size mismatch for ${where}. Expected ${expected}, got ${tensor.data.byteLength}`,
    );
  }
}

/** What one dimension may be on its way to a host, which counts in 32 bits. Only tensors without elements come near it. */
const DIMENSION_MAX = 2 ** 32 - 1;

function fits(shape: readonly number[], spec: readonly number[]): boolean {
  if (shape.length !== spec.length) return false;
  return shape.every((dimension, index) => {
    const wanted = spec[index];
    return wanted === dimension || (wanted === -1 && dimension >= 0 && dimension <= DIMENSION_MAX);
  });
}

function checkRows({ model, inputs }: Checked, rowsMax: number): void {
  const first = inputs[0];
  if (first === undefined) return;
  const rows = first.shape[0] ?? 0;
  if (rows < 1) {
    throw invalid(
      `inference request batch-size must be >= 1 for '${model}'. Expected 1 to ${rowsMax} rows, got ${rows}: ` +
        `input '${first.name}' has shape ${formatShape(first.shape)}. ${NO_ROWS}`,
    );
  }
  if (rows > rowsMax) {
    throw invalid(
      `inference request batch-size must be <= ${rowsMax} for '${model}'. Expected 1 to ${rowsMax} rows, got ${rows}. ` +
        `Send several requests, or raise batch.rowsMax (max_batch_size)`,
    );
  }
  for (const tensor of inputs) {
    if (tensor.shape[0] !== rows) {
      throw invalid(
        `input '${tensor.name}' batch size does not match other inputs for '${model}'. Expected ${rows} rows as of '${first.name}', got ${tensor.shape[0]}. ${NO_ROWS}`,
      );
    }
  }
}

const NO_ROWS =
  'The first dimension of every input counts rows, as batch.rowsMax (max_batch_size) declares; for a model whose first dimension does not, write batch: off (max_batch_size: 0)';

function checkOutputs({ model, outputs }: Checked, signature: Signature): void {
  if (outputs === undefined) return;
  const expected = signature.outputs.map((spec) => spec.name);
  const unknown = outputs.find((name) => !expected.includes(name));
  if (unknown !== undefined) {
    throw invalid(
      `unexpected inference output '${unknown}' for model '${model}'. Expected ${list(expected)}, got '${unknown}'`,
    );
  }
  const twice = outputs.find((name, index) => outputs.indexOf(name) !== index);
  if (twice !== undefined) {
    throw invalid(`output '${twice}' for model '${model}' is asked for twice. Expected it once`);
  }
}

function list(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ') || 'none';
}

function invalid(message: string): ServeError {
  return new ServeError('invalid_input', message);
}
