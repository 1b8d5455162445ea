import {
  DTYPES,
  formatShape,
  isDtype,
  type Signature,
  type TensorSpec,
} from '../../core/tensor.ts';

/** Shapes by the names of inputs, as the user gave them, with or without the batch dimension: `--shape image:3,224,224`. */
export type Shapes = Readonly<Record<string, readonly number[]>>;

/** Elements of one tensor: what a mistyped shape asks for beyond that would take the machine's memory. */
const ELEMENTS_MAX = 2 ** 28;

export type ShapeOptions = {
  /** Rows of one request: the size of each free first dimension. */
  readonly batch: number;
  readonly shapes: Shapes;
};

/**
 * The shape of a tensor of this kind: the batch first where the model leaves that open, other free dimensions as the user gave them.
 *
 * @throws Error that names the tensor, its shape and what to say where a free dimension is left, or what was said does not fit.
 */
export function shapeOf(spec: TensorSpec, { batch, shapes }: ShapeOptions): readonly number[] {
  checkDtype(spec);
  const said = Object.hasOwn(shapes, spec.name) ? shapes[spec.name] : undefined;
  const shape = said === undefined ? filled(spec, batch) : fitted(spec, said, batch);
  const count = shape.reduce((product, size) => product * size, 1);
  if (count > ELEMENTS_MAX) {
    throw new Error(
      `"${spec.name}": expected at most ${ELEMENTS_MAX} elements, found ${formatShape(shape)}`,
    );
  }
  return shape;
}

/** Throws an Error for shapes of inputs that the model does not have, and for a model without inputs. */
export function checkInputs({ inputs }: Signature, { batch, shapes }: ShapeOptions): void {
  if (inputs.length === 0) {
    throw new Error('the model says of no input that it takes: expected at least one');
  }
  if (!Number.isSafeInteger(batch) || batch < 1) {
    throw new Error(`batch: expected a whole number from 1, found ${batch}`);
  }
  if (batch > 1 && !inputs.some(isBatched)) {
    throw new Error(
      `batch: expected 1, as no input of the model has a free first dimension, found ${batch}`,
    );
  }
  const names = inputs.map(({ name }) => name);
  const unknown = Object.keys(shapes).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new Error(`--shape: expected one of ${quoted(names)}, found "${unknown}"`);
}

/** True where the first dimension is free: it is the batch then. */
export function isBatched({ shape }: TensorSpec): boolean {
  return shape[0] === -1;
}

/** `"a", "b"`. */
export function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}

function checkDtype({ name, dtype }: TensorSpec): void {
  if (isDtype(dtype)) return;
  const found: string = dtype;
  throw new Error(`"${name}": expected a datatype of ${DTYPES.join(', ')}, found ${found}`);
}

function filled(spec: TensorSpec, batch: number): readonly number[] {
  const shape = spec.shape.map((size, axis) => (axis === 0 && size === -1 ? batch : size));
  if (!shape.includes(-1)) return shape;
  const own = isBatched(spec) ? spec.shape.slice(1) : spec.shape;
  const example = own.map((size) => (size === -1 ? 'N' : size)).join(',');
  throw new Error(
    `"${spec.name}" ${formatShape(spec.shape)}: expected a size for each free dimension, found none. Give them with --shape ${spec.name}:${example}`,
  );
}

function fitted(spec: TensorSpec, said: readonly number[], batch: number): readonly number[] {
  const isShort = isBatched(spec) && said.length === spec.shape.length - 1;
  const shape = isShort ? [batch, ...said] : said;
  const fits =
    shape.length === spec.shape.length &&
    shape.every((size, axis) => isSize(size) && [size, -1].includes(spec.shape[axis] ?? 0));
  if (fits) return shape;
  throw new Error(
    `"${spec.name}": expected a shape like ${formatShape(spec.shape)}${isBatched(spec) ? ', with or without the batch dimension' : ''}, found ${formatShape(said)}`,
  );
}

function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 1;
}
