import type { Declared } from '../core/declared.ts';
import { checkInside } from './inside-of.ts';
import { quoted } from './quoted.ts';
import type { TritonModelConfig } from './triton-config.ts';
import { declaredIn } from './triton-declared.ts';
import { ignoredParts } from './triton-ignored.ts';
import { type Batching, batchingOf, type Section, sectionFrom } from './triton-section.ts';
import { type TensorExpectation, tensorExpectations } from './triton-tensors.ts';
import { type WarmupPlan, warmupPlans } from './triton-warmup.ts';

/** What a Triton model configuration comes to here. */
export type TritonSettings = {
  /** In the form of a `models.<name>` section of `understudy.yaml`, with only the keys that are said. */
  readonly section: Section;
  /** Relative to the version's folder; undefined: not said. */
  readonly modelFile: string | undefined;
  /** Files of labels are relative to the model's folder. */
  readonly declared: Declared;
  readonly batching: Batching;
  readonly tensors: readonly TensorExpectation[];
  readonly warmups: readonly WarmupPlan[];
  /** What is asked for and not done here, each a part of a sentence. */
  readonly ignored: readonly string[];
};

/**
 * Translates a model configuration.
 *
 * @throws Error that says what cannot be served, or what makes no sense, and how to fix it.
 */
export function settingsFrom(config: TritonModelConfig, model: string): TritonSettings {
  checkName(config, model);
  checkServed(config);
  const modelFile = config.default_model_filename || undefined;
  if (modelFile !== undefined) checkInside('default_model_filename', modelFile);
  checkLabelFiles(config);
  const batching = batchingOf(config);
  const { section, notes } = sectionFrom(config, batching);
  return {
    section,
    modelFile,
    declared: declaredIn(config),
    batching,
    tensors: tensorExpectations(config),
    warmups: warmupPlans(config),
    ignored: [...notes, ...ignoredParts(config)],
  };
}

function checkName({ name }: TritonModelConfig, model: string): void {
  if (!name || name === model) return;
  throw new Error(
    `name: expected ${quoted(model)}, as the folder is called, found ${quoted(name)}`,
  );
}

const EXPORT = 'Models of other frameworks can be exported to ONNX';

/** What would have to be answered otherwise than we can is refused rather than left out. */
function checkServed(config: TritonModelConfig): void {
  if (config.sequence_batching) {
    throw new Error(
      'sequence_batching: models that keep state between requests are not served yet',
    );
  }
  if (config.ensemble_scheduling) {
    throw new Error('ensemble_scheduling: ensembles of models are not served yet');
  }
  const { platform, backend } = config;
  if (platform && platform !== 'onnxruntime_onnx') {
    throw new Error(
      `platform: expected onnxruntime_onnx, the one that is served, found ${quoted(platform)}. ${EXPORT}`,
    );
  }
  if (backend && backend !== 'onnxruntime') {
    throw new Error(
      `backend: expected onnxruntime, the one that is served, found ${quoted(backend)}. ${EXPORT}`,
    );
  }
  if (config.model_transaction_policy?.decoupled) {
    throw new Error(
      'model_transaction_policy.decoupled: many answers to one request are not served',
    );
  }
  const made = config.batch_input?.length ? 'batch_input' : 'batch_output';
  if (config[made]?.length) {
    throw new Error(`${made}: tensors that the server makes for a batch are not served yet`);
  }
}

function checkLabelFiles({ output = [] }: TritonModelConfig): void {
  for (const { name = '', label_filename: file } of output) {
    if (file) checkInside(`label_filename of output ${quoted(name)}`, file);
  }
}
