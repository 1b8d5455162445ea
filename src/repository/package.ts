import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { BaseConfig } from '../config/schema.ts';
import { parseYamlFile } from '../config/yaml-file.ts';
import type { ComparatorSetting } from '../core/comparator-setting.ts';
import type { Declared } from '../core/declared.ts';
import { type Reshape, servedSignature } from '../core/reshape.ts';
import type { RowsFinding } from '../core/rows.ts';
import type { Signature } from '../core/tensor.ts';
import type { ModelVersion } from '../core/version.ts';
import type { WarmupSample } from '../core/warmup.ts';
import { type DirectoryDigest, stampOf } from './digest.ts';
import { insideOf } from './inside-of.ts';
import type { Inspection } from './inspection.ts';
import type { Inspector } from './inspector.ts';
import { isMissing } from './is-missing.ts';
import { checkLabelsOf, outputOf, readLabels } from './labels.ts';
import { type ModelYaml, modelYamlSchema } from './model-yaml.ts';
import { outputsOfLabels } from './onnx-labels.ts';
import type { Postprocess, Preprocess } from './preprocess-yaml.ts';
import type { ReadingProgress } from './reading-progress.ts';
import { readRegularText } from './regular-file.ts';
import { declaredIn } from './triton-declared.ts';

/** The file that makes a folder a package. */
const MODEL_FILE = 'model.onnx';
const MODEL_YAML_FILE = 'model.yaml';
const MODEL_YAML_BYTES_MAX = 16 * 1024 * 1024;

/** What the files of a model's folder say of all its versions. */
export type ModelSettings = {
  /** Settings from the model's own files, which `understudy.yaml` overrides. One object for all versions of a model. */
  readonly baseConfig: BaseConfig;
  /** What is asked for and not done here, in parts of a sentence. */
  readonly ignored: readonly string[];
  readonly declared: Declared;
};

/** One version's folder, read and found whole. */
export type Package = ModelVersion & {
  readonly directory: string;
  /** Names the package: changes with any byte of any file. See `digestOf`. */
  readonly digest: string;
  /** Of all files. */
  readonly bytes: number;
  /** Tells at a glance whether the files may have changed since they were read. See `stampOf`. */
  readonly stamp: string;
  /** Absolute paths. One model today; a pipeline will have several. */
  readonly models: readonly { readonly name: string; readonly file: string }[];
  /** The model's file, relative to the folder. */
  readonly modelFile: string;
  /** What the model's file says by itself. */
  readonly inspected: Omit<Inspection, keyof DirectoryDigest>;
  /** As callers see it. */
  readonly signature: Signature;
  /** The tensors that the model has in other shapes than callers see. */
  readonly reshapes: readonly Reshape[];
  /** Whether requests may share a run, according to the model's file. */
  readonly rows: RowsFinding;
  /** `classification`, for instance. */
  readonly task: string | undefined;
  readonly description: string | undefined;
  /** In the order of the class scores; only those in a label file next to the model. */
  readonly labels: readonly string[] | undefined;
  /** The names along an output's last dimension, by output. */
  readonly labelsByOutput: ReadonlyMap<string, readonly string[]>;
  readonly settings: ModelSettings;
  /** What has to be answered before the version is ready. */
  readonly warmups: readonly WarmupSample[];
  /** How inputs (images) become tensors, and tensors answers; undefined: only tensors are taken and given. */
  readonly preprocess: Preprocess | undefined;
  readonly postprocess: Postprocess | undefined;
  readonly compare: ComparatorSetting | undefined;
  readonly licence: string | undefined;
  readonly provenance: Readonly<Record<string, string | number | boolean>>;
};

/** What the folder above a version's says of it. */
export type FolderSays = {
  readonly settings: ModelSettings;
  /** The model's file, relative to the version's folder. */
  readonly modelFile: string;
  readonly labelsByOutput: ReadonlyMap<string, readonly string[]>;
  /**
   * Holds what was said of inputs and outputs against the model's own; throws an Error where they differ. Returns the tensors that
   * callers see in other shapes.
   */
  readonly fit: (signature: Signature) => readonly Reshape[];
  readonly warmupsFor: (signature: Signature) => Promise<readonly WarmupSample[]>;
};

/** A folder that says nothing. */
export const SAYS_NOTHING: FolderSays = {
  settings: {
    baseConfig: { file: 'config.pbtxt', section: {} },
    ignored: [],
    declared: declaredIn({}),
  },
  modelFile: 'model.onnx',
  labelsByOutput: new Map(),
  fit: () => [],
  warmupsFor: async () => [],
};

export type PackageReading = {
  /** What the folder above says; by default nothing. */
  readonly above?: FolderSays | undefined;
  readonly inspector: Inspector;
  readonly progress?: ReadingProgress | undefined;
  /** As it was read before, if it was. */
  readonly known?: Package | undefined;
};

/**
 * Reads one version's folder. The model file is read as a whole for its signature, which limits it to 2 GiB, as the format
 * itself does; larger weights are in external files.
 *
 * @throws Error that names what was expected and what was found.
 */
export async function readPackage(
  directory: string,
  { model, version }: ModelVersion,
  { above = SAYS_NOTHING, inspector, progress, known }: PackageReading,
): Promise<Package> {
  const file = await modelFileIn(directory, above.modelFile);
  const { digest, bytes, stamp, ...inspected } =
    (await unchanged(known, directory, above)) ??
    (await inspector.inspect({ directory, file, name: above.modelFile, progress }));
  const reshapes = above.fit(inspected.signature);
  const signature = servedSignature(inspected.signature, reshapes);
  const said = await modelYamlOf(directory);
  const own =
    typeof said.labels === 'string' ? await readLabels(directory, said.labels) : said.labels;
  const labelsByOutput = labelsOf(own, above, signature);
  const everyLabel = withFileLabels(labelsByOutput, inspected, signature);
  await checkStill(directory, stamp);
  return {
    model,
    version,
    directory: resolve(directory),
    digest,
    bytes,
    stamp,
    models: [{ name: model, file }],
    modelFile: above.modelFile,
    inspected,
    signature,
    reshapes,
    rows: inspected.rows,
    task: said.task,
    description: said.description,
    labels: own ?? [...labelsByOutput.values()][0],
    labelsByOutput: everyLabel,
    settings: above.settings,
    warmups: await above.warmupsFor(signature),
    preprocess: said.preprocess,
    postprocess: said.postprocess,
    compare: said.compare,
    licence: said.licence,
    provenance: said.provenance ?? {},
  };
}

async function unchanged(
  known: Package | undefined,
  directory: string,
  { modelFile }: FolderSays,
): Promise<Inspection | undefined> {
  if (known?.modelFile !== modelFile || known.directory !== resolve(directory)) return undefined;
  const { digest, bytes, stamp, inspected } = known;
  return (await stampOf(directory)) === stamp ? { digest, bytes, stamp, ...inspected } : undefined;
}

/** A version that is written while it is read is none yet. */
async function checkStill(directory: string, stamp: string): Promise<void> {
  if ((await stampOf(directory)) === stamp) return;
  throw new Error('expected files at rest, found changes while they were read');
}

/** The version's own labels go before those that the folder above has for the same output. */
function labelsOf(
  own: readonly string[] | undefined,
  { labelsByOutput }: FolderSays,
  signature: Signature,
): ReadonlyMap<string, readonly string[]> {
  const all = new Map(labelsByOutput);
  if (own) all.set(outputOf(own, signature), own);
  for (const output of signature.outputs) {
    const labels = all.get(output.name);
    if (labels) checkLabelsOf(output, labels);
  }
  return all;
}

/** A file written by hand next to the model takes precedence over the exporter's metadata in it. */
function withFileLabels(
  said: ReadonlyMap<string, readonly string[]>,
  { labels }: Package['inspected'],
  signature: Signature,
): ReadonlyMap<string, readonly string[]> {
  if (labels?.kind !== 'labels') return said;
  const theirs = labels.labels;
  const found = outputsOfLabels(theirs, signature).map(({ name }) => [name, theirs] as const);
  return new Map([...found, ...said]);
}

/** A model of several files may lie in a folder of the file's name, as `model.onnx` again. */
async function modelFileIn(directory: string, modelFile: string): Promise<string> {
  const path = insideOf(directory, modelFile);
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ? join(path, MODEL_FILE) : path;
}

async function modelYamlOf(directory: string): Promise<ModelYaml> {
  const file = join(directory, MODEL_YAML_FILE);
  const text = await readRegularText(file, MODEL_YAML_FILE, MODEL_YAML_BYTES_MAX).catch(
    (cause: unknown) => {
      if (isMissing(cause)) return undefined;
      throw cause;
    },
  );
  return text === undefined ? {} : parseYamlFile({ file: MODEL_YAML_FILE, text }, modelYamlSchema);
}
