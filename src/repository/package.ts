import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { parseYamlFile } from '../config/yaml-file.ts';
import { messageOf } from '../core/errors.ts';
import { formatShape, type Signature } from '../core/tensor.ts';
import type { ModelVersion } from '../core/version.ts';
import { digestOf } from './digest.ts';
import { type CompareSetting, type ModelYaml, modelYamlSchema } from './model-yaml.ts';
import { type OnnxSummary, readOnnxSummary } from './onnx-file.ts';

/** The file that makes a folder a package. */
const MODEL_FILE = 'model.onnx';
const MODEL_YAML_FILE = 'model.yaml';

/** One version's folder, read and found whole. */
export type Package = ModelVersion & {
  readonly directory: string;
  /** Names the package: changes with any byte of any file. See `digestOf`. */
  readonly digest: string;
  /** Of all files. */
  readonly bytes: number;
  /** Absolute paths. One model today; a pipeline will have several. */
  readonly models: readonly { readonly name: string; readonly file: string }[];
  readonly signature: Signature;
  /** `classification`, for instance. */
  readonly task: string | undefined;
  readonly description: string | undefined;
  /** In the order of the class scores. */
  readonly labels: readonly string[] | undefined;
  readonly compare: CompareSetting | undefined;
  readonly licence: string | undefined;
  readonly provenance: Readonly<Record<string, string | number | boolean>>;
};

/**
 * Reads one version's folder. The model file is read as a whole for its signature, which limits it to 2 GiB, as the format
 * itself does; larger weights lie in files beside it.
 *
 * @throws Error that names what was expected and what was found.
 */
export async function readPackage(
  directory: string,
  { model, version }: ModelVersion,
): Promise<Package> {
  const file = resolve(directory, MODEL_FILE);
  const { signature } = await summaryOf(file, directory);
  const said = await modelYamlOf(directory);
  const labels = await labelsOf(said, directory);
  checkLabels(labels, signature);
  return {
    model,
    version,
    directory: resolve(directory),
    ...(await digestOf(directory)),
    models: [{ name: model, file }],
    signature,
    task: said.task,
    description: said.description,
    labels,
    compare: said.compare,
    licence: said.licence,
    provenance: said.provenance ?? {},
  };
}

async function summaryOf(file: string, directory: string): Promise<OnnxSummary> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw isMissing(cause)
      ? new Error(`expected a file ${MODEL_FILE}, found none`, { cause })
      : new Error(`expected a readable ${MODEL_FILE} of at most 2 GiB: ${messageOf(cause)}`, {
          cause,
        });
  });
  const summary = named(MODEL_FILE, () => readOnnxSummary(bytes));
  for (const external of summary.externalFiles) {
    const weights = insideOf(directory, external);
    const found = await stat(weights).catch(() => undefined);
    if (!found?.isFile())
      throw new Error(`${MODEL_FILE}: expected its weights in ${external}, found no such file`);
  }
  return summary;
}

async function modelYamlOf(directory: string): Promise<ModelYaml> {
  const file = join(directory, MODEL_YAML_FILE);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    if (isMissing(cause)) return undefined;
    throw cause;
  });
  return text === undefined ? {} : parseYamlFile({ file: MODEL_YAML_FILE, text }, modelYamlSchema);
}

async function labelsOf(
  { labels }: ModelYaml,
  directory: string,
): Promise<readonly string[] | undefined> {
  if (typeof labels !== 'string') return labels;
  const text = await readFile(insideOf(directory, labels), 'utf8').catch((cause: unknown) => {
    throw new Error(`expected the labels in ${labels}: ${messageOf(cause)}`, { cause });
  });
  const lines = text.split(/\r?\n/);
  while (lines.at(-1) === '') lines.pop();
  const empty = lines.indexOf('');
  if (lines.length === 0)
    throw new Error(`${labels}: expected a label a line, found an empty file`);
  if (empty >= 0) throw new Error(`${labels}: expected a label on line ${empty + 1}, found none`);
  return lines;
}

/** Labels name the entries of some output's last dimension. */
function checkLabels(labels: readonly string[] | undefined, { outputs }: Signature): void {
  if (!labels) return;
  const fits = outputs.some(({ shape }) => shape.at(-1) === labels.length || shape.at(-1) === -1);
  if (fits) return;
  const shapes = outputs.map(({ name, shape }) => `${name} ${formatShape(shape)}`).join(', ');
  throw new Error(
    `expected as many labels as an output has classes, found ${labels.length} for ${shapes}`,
  );
}

function insideOf(directory: string, relative: string): string {
  const path = resolve(directory, relative);
  if (isAbsolute(relative) || !path.startsWith(resolve(directory) + sep)) {
    throw new Error(`expected a path inside the package, found ${relative}`);
  }
  return path;
}

/** Puts the file's name before whatever is wrong in it. */
function named<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Error(`${file}: ${messageOf(cause)}`, { cause });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
