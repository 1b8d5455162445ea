/** What kind of answer an output holds, and so how two of them are compared. */
export const FAMILIES = [
  'rankedClasses',
  'classLabels',
  'labelMap',
  'tokenTags',
  'text',
  'regression',
  'embedding',
  'detections',
  'anyTensor',
] as const;

export type Family = (typeof FAMILIES)[number];

/** What can be set for a family; which of these each reads stands in `compare/families.ts`. All optional. */
export type FamilySetting = {
  /** How many of the best classes must agree; 1 by default. */
  readonly topK?: number | undefined;
  /** How far the scores of a row may move under intent `equivalent`, in total variation, above 0; 0.05 by default, 1: any. */
  readonly distribution?: number | undefined;
  /** Tolerances of `anyTensor`, in place of its defaults by dtype. numpy.allclose's atol and rtol. */
  readonly absolute?: number | undefined;
  readonly relative?: number | undefined;
  /** Distance up to which two rows count as the same answer, in the family's own unit. */
  readonly tolerance?: number | undefined;
  /** A difference of values that matters as much as can be: the loss is 1 from here on. In the output's own unit. */
  readonly scale?: number | undefined;
  /** How an error of a number counts as loss; `absolute` by default. */
  readonly loss?: 'absolute' | 'squared' | undefined;
  /** A label of `labelMap` holds from this score on, and a box of `detections` counts; in the output's own unit; 0.5 by default. */
  readonly threshold?: number | undefined;
  /** How callers compare embeddings: `dot` by default, where lengths count. */
  readonly similarity?: 'dot' | 'cosine' | undefined;
  /** How much two boxes must overlap to be the same one, as intersection over union; 0.5 by default. */
  readonly iou?: number | undefined;
  /** Outputs that hold the score and the class of each box; by default those with the usual names. */
  readonly scores?: string | undefined;
  readonly classes?: string | undefined;
  /** Whether four numbers of a box are two corners, the default, or its middle and its size. */
  readonly boxes?: 'corners' | 'center' | undefined;
};

export type FamilyKey = keyof FamilySetting;

/**
 * How answers are compared: `compare` in model.yaml, in the model's section of the configuration and of a rollout. All optional: there is
 * a default by task. Beside `comparator` stand the settings of that one.
 */
export type ComparatorSetting = FamilySetting & {
  readonly comparator?: Family | undefined;
  /** The output that `comparator` reads; without it the task's own, such as the class scores. */
  readonly output?: string | undefined;
  /** By the name of an output. Where any names a comparator, exactly those that do are compared. */
  readonly outputs?: Readonly<Record<string, OutputSetting>> | undefined;
};

export type OutputSetting = FamilySetting & {
  /** `none`: the output is left out of the comparison. */
  readonly comparator?: Family | 'none' | undefined;
  /** NaN and infinities are answers of this output like any other, such as the logarithm of 0. By default they are failures. */
  readonly nonFinite?: 'allow' | undefined;
};

/** The later one wins, key by key, in `outputs` too. Undefined where neither says anything. */
export function mergedSetting(
  under: ComparatorSetting | undefined,
  over: ComparatorSetting | undefined,
): ComparatorSetting | undefined {
  if (under === undefined || over === undefined) return over ?? under;
  const outputs = { ...under.outputs };
  for (const [name, setting] of Object.entries(over.outputs ?? {})) {
    outputs[name] = { ...outputs[name], ...written(setting) };
  }
  const merged = { ...under, ...written(over) };
  return Object.keys(outputs).length === 0 ? merged : { ...merged, outputs };
}

function written<Setting extends object>(setting: Setting): Setting {
  return Object.fromEntries(
    Object.entries(setting).filter(([, value]) => value !== undefined),
  ) as Setting;
}
