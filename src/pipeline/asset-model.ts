import { messageOf, ServeError } from '../core/errors.ts';
import type { InferResponse } from '../core/infer.ts';
import type { Signature, Tensor } from '../core/tensor.ts';
import type { ImageCodec, Waiting } from './codec.ts';
import { type ImageSetting, type ImageSpec, imageShape, imageSpecOf } from './image-spec.ts';
import {
  type RankingSetting,
  type RankingSpec,
  rankClasses,
  rankingSpecOf,
} from './rank-classes.ts';

/** What is asked of a version's package. */
export type AssetPackage = {
  readonly model: string;
  readonly version: string;
  readonly digest: string;
  readonly description: string | undefined;
  readonly licence: string | undefined;
  readonly provenance: Readonly<Record<string, unknown>>;
  readonly task: string | undefined;
  readonly signature: Signature;
  readonly preprocess: { readonly image: ImageSetting } | undefined;
  readonly postprocess: RankingSetting | undefined;
  readonly labelsByOutput: ReadonlyMap<string, readonly string[]>;
};

export type AssetModelOptions = {
  /** The model's name in the repository. */
  readonly name: string;
  /** The version that a name means; without one the stable version. Throws a ServeError where there is none. */
  readonly versionOf: (named?: string) => string;
  /** The model's packages by version, as they are at present. */
  readonly packages: () => ReadonlyMap<string, AssetPackage>;
  readonly codec: Pick<ImageCodec, 'decode'>;
};

/** What the exchange's metadata says of a model. */
type AssetMetadata = Readonly<Record<'id' | 'name' | 'description' | 'type' | 'source', string>> & {
  readonly license: string | null;
};

/** One class of an answer. The id is a string, as clients compare it with one. */
type AssetPrediction = Readonly<Record<'label_id' | 'label', string>> & {
  readonly probability: number;
};

/** Tasks that give one row of class scores. */
const TASKS: readonly (string | undefined)[] = [
  undefined,
  'classification',
  'image-classification',
];

/** How one version takes images and names classes. */
type Reading = {
  readonly image: ImageSpec;
  readonly ranking: RankingSpec;
  readonly labels: readonly string[];
};

/**
 * A model of the Model Asset eXchange: it takes an image and names its class, as its packages say. All of it throws, or rejects
 * with, ServeErrors. An image is prepared as stable asks for, since which version answers is
 * chosen later; an answer is explained as the version says that gave it.
 */
export class AssetModel {
  readonly name: string;
  readonly #options: AssetModelOptions;
  readonly #readings = new WeakMap<AssetPackage, Reading>();

  constructor(options: AssetModelOptions) {
    this.name = options.name;
    this.#options = options;
  }

  metadata(): AssetMetadata {
    const { model, version, description, licence, provenance, digest } = this.#package();
    return {
      id: model,
      name: model,
      description: description ?? `${model} version ${version}`,
      type: 'Image Classification',
      source: String(provenance['source'] ?? `sha256:${digest}`),
      license: licence ?? null,
    };
  }

  labels(): readonly string[] {
    return this.#readingOf(this.#package()).labels;
  }

  async prepare(bytes: Uint8Array, waiting: Waiting): Promise<readonly Tensor[]> {
    const { image } = this.#readingOf(this.#package());
    const data = await this.#options.codec.decode(bytes, image, waiting);
    return [{ name: image.input, dtype: image.dtype, shape: imageShape(image), data }];
  }

  explainer(): (response: InferResponse) => readonly AssetPrediction[] {
    const packages = this.#options.packages();
    return ({ version, outputs }) => {
      // What stands in for another arm may have come after.
      const packaged = packages.get(version) ?? this.#package(version);
      return ranked(outputs, this.#readingOf(packaged));
    };
  }

  /** Of a version, or of the one that is stable now. */
  #package(named?: string): AssetPackage {
    const { versionOf, packages } = this.#options;
    const version = versionOf(named);
    const found = packages().get(version);
    if (found !== undefined) return found;
    throw new ServeError(
      'version_not_found',
      `'${this.name}' has no version '${version}' any more`,
    );
  }

  #readingOf(packaged: AssetPackage): Reading {
    const known = this.#readings.get(packaged) ?? readingOf(packaged);
    this.#readings.set(packaged, known);
    return known;
  }
}

function ranked(
  outputs: readonly Tensor[],
  { ranking, labels }: Reading,
): readonly AssetPrediction[] {
  const scores = outputs.find(({ name }) => name === ranking.output);
  if (scores === undefined) {
    throw new ServeError('runtime_failed', `expected an output '${ranking.output}', found none`);
  }
  return rankClasses(scores, ranking).map(({ index, probability }) => ({
    label_id: String(index),
    label: labels[index] ?? String(index),
    probability,
  }));
}

function readingOf(packaged: AssetPackage): Reading {
  const { model, version, task, preprocess, postprocess, signature } = packaged;
  try {
    if (!TASKS.includes(task)) throw new Error(`expected task classification, found ${task}`);
    if (preprocess === undefined) throw new Error('expected preprocess.image, found none');
    const image = imageSpecOf(preprocess.image, signature);
    const ranking = rankingSpecOf(postprocess ?? {}, signature);
    return { image, ranking, labels: labelsOf(packaged, ranking.output) };
  } catch (cause) {
    throw new ServeError(
      'unsupported',
      `'${model}' version '${version}', model.yaml: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** Classes without names are called by their places. */
function labelsOf({ labelsByOutput, signature }: AssetPackage, output: string): readonly string[] {
  const labels = labelsByOutput.get(output);
  if (labels !== undefined) return labels;
  const classes = signature.outputs.find(({ name }) => name === output)?.shape.at(-1) ?? -1;
  if (classes < 1) throw new Error('expected labels, found none, nor how many classes there are');
  return Array.from({ length: classes }, (_, index) => String(index));
}
