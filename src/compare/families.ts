import type { Family, FamilyKey, FamilySetting } from '../core/comparator-setting.ts';
import type { TensorSpec } from '../core/tensor.ts';
import type { Comparator } from './comparator.ts';
import { anyTensor } from './comparators/any-tensor.ts';
import { classLabels } from './comparators/class-labels.ts';
import { detections } from './comparators/detections.ts';
import { embedding } from './comparators/embedding.ts';
import { labelMap } from './comparators/label-map.ts';
import { rankedClasses } from './comparators/ranked-classes.ts';
import { regression } from './comparators/regression.ts';
import { text } from './comparators/text.ts';
import { tokenTags } from './comparators/token-tags.ts';
import { labelLoss } from './losses/class-labels.ts';
import { detectionLoss } from './losses/detections.ts';
import { embeddingLoss } from './losses/embedding.ts';
import { labelMapLoss } from './losses/label-map.ts';
import type { LossRule } from './losses/loss-rule.ts';
import { classLoss } from './losses/ranked-classes.ts';
import { regressionLoss } from './losses/regression.ts';
import { textLoss } from './losses/text.ts';
import { tokenTagsLoss } from './losses/token-tags.ts';

/** An output of a family, with what a comparator or a loss of it may need to know. */
export type OutputOfFamily = {
  readonly output: TensorSpec;
  readonly setting: FamilySetting;
  /** Answers should not change at all: intent `equivalent`. */
  readonly isEquivalent: boolean;
};

/** Class names in the order of the scores; undefined: there are none. */
export type ClassNames = readonly string[] | undefined;

/** What the judging needs to know of a family of answers. */
export type FamilyRule = {
  /** What an output of it holds, for messages. */
  readonly reads: string;
  /** The settings that it reads. */
  readonly keys: readonly FamilyKey[];
  /** Its output among these; undefined: it can read none. `isNamed`: somebody says that it holds what the family reads. */
  readonly outputOf: (outputs: readonly TensorSpec[], isNamed: boolean) => TensorSpec | undefined;
  /** Throws an Error for settings that leave nothing to compare. */
  readonly comparator: (of: OutputOfFamily) => Comparator;
  /** Absent where labels say nothing that is measured. Undefined: a setting that it needs is missing, which `lossNeeds` names. */
  readonly loss?: (of: OutputOfFamily, names: ClassNames) => LossRule | undefined;
  readonly lossNeeds?: string;
};

/** How far class scores may move before an answer counts as another one, in total variation: 5 points of probability. */
const DISTRIBUTION = 0.05;

/** Half of a probability; of logits it would be 0. */
const LABEL_THRESHOLD = 0.5;

export const FAMILY_RULES: Readonly<Record<Family, FamilyRule>> = {
  rankedClasses: {
    reads: 'class scores of rank 1 or 2',
    keys: ['topK', 'distribution'],
    outputOf: (outputs, isNamed) =>
      firstOfRank(
        outputs.filter((spec) => (isNamed ? spec.dtype !== 'BYTES' : isFloating(spec))),
        [2, 1],
      ),
    comparator: ({ output, setting, isEquivalent }) =>
      rankedClasses({
        output: output.name,
        topK: checkedTopK(setting.topK ?? 1, output.shape.at(-1) ?? -1),
        distribution: isEquivalent ? (setting.distribution ?? DISTRIBUTION) : undefined,
      }),
    loss: ({ output }, names) => classLoss(output, names),
  },
  classLabels: {
    reads: 'labels: whole numbers or text of shape [N] or [N,1]',
    keys: [],
    outputOf: (outputs) =>
      outputs.find((spec) => !isFloating(spec) && isOnePerRow(spec) && /label/i.test(spec.name)) ??
      outputs.find((spec) => !isFloating(spec) && isOnePerRow(spec)),
    comparator: ({ output }) => classLabels(output.name),
    loss: ({ output }, names) => labelLoss(output, names),
  },
  labelMap: {
    reads: 'a score per label, [N,C]',
    keys: ['threshold', 'tolerance'],
    outputOf: (outputs) => {
      const ofLabels = outputs.filter(
        ({ dtype, shape }) => dtype !== 'BYTES' && shape.length === 2,
      );
      return ofLabels.find(isFloating) ?? ofLabels[0];
    },
    comparator: ({ output, setting: { threshold = LABEL_THRESHOLD, tolerance } }) =>
      labelMap({ output: output.name, threshold, tolerance }),
    loss: ({ output, setting: { threshold = LABEL_THRESHOLD } }, names) =>
      labelMapLoss({ output, names, threshold }),
  },
  tokenTags: {
    reads: 'tags of tokens: scores [N,T,C] or whole numbers [N,T]',
    keys: ['tolerance'],
    outputOf: (outputs) =>
      outputs.find((spec) => isFloating(spec) && spec.shape.length === 3) ??
      outputs.find(
        (spec) => !isFloating(spec) && spec.dtype !== 'BYTES' && spec.shape.length === 2,
      ),
    comparator: ({ output, setting: { tolerance } }) =>
      tokenTags({ output: output.name, tolerance }),
    loss: ({ output }, names) => tokenTagsLoss(output.name, names),
  },
  text: {
    reads: 'text of shape [N] or [N,1]',
    keys: ['tolerance'],
    outputOf: (outputs) => outputs.find((spec) => spec.dtype === 'BYTES' && isOnePerRow(spec)),
    comparator: ({ output, setting: { tolerance } }) => text({ output: output.name, tolerance }),
    loss: ({ output }) => textLoss(output.name),
  },
  regression: {
    reads: 'numbers',
    keys: ['tolerance', 'scale', 'loss'],
    outputOf: (outputs, isNamed) =>
      outputs.find((spec) => (isNamed ? spec.dtype !== 'BYTES' : isFloating(spec))),
    comparator: ({ output, setting }) => regression({ output: output.name, ...setting }),
    loss: ({ output, setting: { scale, loss } }) =>
      scale === undefined ? undefined : regressionLoss({ output: output.name, scale, loss }),
    lossNeeds: 'scale, the error that counts as wholly wrong',
  },
  embedding: {
    reads: 'vectors: numbers of rank 1 to 3',
    keys: ['tolerance', 'similarity'],
    outputOf: (outputs, isNamed) =>
      firstOfRank(
        outputs.filter((spec) => (isNamed ? spec.dtype !== 'BYTES' : isFloating(spec))),
        [2, 3, 1],
      ),
    comparator: ({ output, setting }) => embedding({ output: output.name, ...setting }),
    loss: ({ output }) => embeddingLoss(output),
  },
  detections: {
    reads: 'boxes: [K,4] or [N,K,4], or [K,6] or [N,K,6] with score and class',
    keys: ['tolerance', 'iou', 'threshold', 'scores', 'classes', 'boxes'],
    outputOf: (outputs, isNamed) =>
      outputs.find((spec) => holdsBoxes(spec) && /box/i.test(spec.name)) ??
      outputs.find((spec) => holdsBoxes(spec) && (isNamed || isFloating(spec))),
    comparator: ({ output, setting }) => detections({ ...setting, output: output.name }),
    loss: ({ output, setting }, names) => detectionLoss({ ...setting, output: output.name }, names),
  },
  anyTensor: {
    reads: 'anything',
    keys: ['absolute', 'relative'],
    outputOf: ([first]) => first,
    comparator: ({ output, setting }) => anyTensor({ ...setting, only: output.name }),
  },
};

/** Names are regular expressions. Kinds of a task end with its name, as `image-classification` does. Of several families the first counts that finds an output. */
const TASKS: readonly (readonly [kind: string, family: Family])[] = [
  ['multi-label(-[a-z]+)*-classification', 'labelMap'],
  ['token-classification', 'tokenTags'],
  ['classification', 'rankedClasses'],
  ['classification', 'classLabels'],
  ['regression', 'regression'],
  ['automatic-speech-recognition', 'text'],
  ['text-generation', 'text'],
  ['text2text-generation', 'text'],
  ['translation', 'text'],
  ['summarization', 'text'],
  ['image-to-text', 'text'],
  ['feature-extraction', 'embedding'],
  ['sentence-similarity', 'embedding'],
  ['embedding', 'embedding'],
  ['object-detection', 'detections'],
];

/** The families of a task, by the names of the Hugging Face hub, the first choice first; none: it is not known. */
export function familiesOfTask(task: string | undefined): readonly Family[] {
  return TASKS.filter(([kind]) => new RegExp(`(^|[-_ ])${kind}$`).test(task ?? '')).map(
    ([, family]) => family,
  );
}

function isFloating({ dtype }: TensorSpec): boolean {
  return /^(FP|BF)/.test(dtype);
}

/** The last dimension may be left open; the rank may not. */
function holdsBoxes({ dtype, shape }: TensorSpec): boolean {
  const width = shape.at(-1) ?? 0;
  const isRanked = shape.length === 2 || shape.length === 3;
  return dtype !== 'BYTES' && isRanked && (width === 4 || width === 6 || width < 0);
}

function isOnePerRow({ shape }: TensorSpec): boolean {
  return shape.length === 1 || (shape.length === 2 && shape[1] === 1);
}

/** Of the first of these ranks that there is. */
function firstOfRank(
  outputs: readonly TensorSpec[],
  ranks: readonly number[],
): TensorSpec | undefined {
  return ranks
    .map((rank) => outputs.find(({ shape }) => shape.length === rank))
    .find((spec) => spec !== undefined);
}

function checkedTopK(topK: number, classes: number): number {
  if (Number.isInteger(topK) && topK >= 1 && !(classes > 0 && topK >= classes)) return topK;
  throw new Error(
    `compare.topK: expected a whole number from 1 to ${classes > 0 ? `${classes - 1} (of ${classes} classes, the best ${classes} always agree)` : 'the number of classes less one'}, found ${topK}`,
  );
}
