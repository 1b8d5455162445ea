import { messageOf } from '../core/errors.ts';
import { formatShape, type Signature, type TensorSpec } from '../core/tensor.ts';
import { insideOf } from './inside-of.ts';
import { readRegularText } from './regular-file.ts';

/** Of a file of labels: a million classes with names of a few words. */
const BYTES_MAX = 16 * 1024 * 1024;

/**
 * Reads a file of labels, one a line, in the order of an output's last dimension.
 *
 * @throws Error that names the file: outside its folder, not readable, empty, or with a gap.
 */
export async function readLabels(directory: string, file: string): Promise<readonly string[]> {
  const text = await readRegularText(insideOf(directory, file), file, BYTES_MAX).catch(
    (cause: unknown) => {
      throw new Error(`expected the labels in ${file}: ${messageOf(cause)}`, { cause });
    },
  );
  const lines = text.split(/\r?\n/);
  while (lines.at(-1) === '') lines.pop();
  const empty = lines.indexOf('');
  if (lines.length === 0) throw new Error(`${file}: expected a label a line, found an empty file`);
  if (empty >= 0) throw new Error(`${file}: expected a label on line ${empty + 1}, found none`);
  return lines;
}

/**
 * The output that a list of labels without one belongs to: the first with so many classes, else the first whose number of
 * classes is free.
 *
 * @throws Error where no output has so many.
 */
export function outputOf(labels: readonly string[], { outputs }: Signature): string {
  const fits = (size: number) => outputs.find(({ shape }) => shape.at(-1) === size);
  const found = fits(labels.length) ?? fits(-1);
  if (found) return found.name;
  const shapes = outputs.map(({ name, shape }) => `${name} ${formatShape(shape)}`).join(', ');
  throw new Error(
    `expected as many labels as an output has classes, found ${labels.length} for ${shapes}`,
  );
}

/** Throws an Error where an output cannot have these labels. */
export function checkLabelsOf({ name, shape }: TensorSpec, labels: readonly string[]): void {
  const classes = shape.at(-1);
  if (classes === labels.length || classes === -1) return;
  throw new Error(
    `output "${name}": expected as many labels as it has classes, found ${labels.length} for ${formatShape(shape)}`,
  );
}
