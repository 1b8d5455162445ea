/** How a package wants its answers compared: `compare` in model.yaml. All optional: there is a default by task. */
export type ComparatorSetting = {
  readonly comparator?: 'rankedClasses' | 'anyTensor' | undefined;
  /** The output with the class scores; without it the first floating-point output of rank 2 (or 1). */
  readonly output?: string | undefined;
  /** How many of the best classes must agree; 1 by default. */
  readonly topK?: number | undefined;
  /** How far the scores of a row may move under intent `equivalent`, in total variation, above 0; 0.05 by default, 1: any. */
  readonly distribution?: number | undefined;
  /** Tolerances of `anyTensor`, in place of its defaults by dtype. */
  readonly absolute?: number | undefined;
  readonly relative?: number | undefined;
  /** By the name of an output. */
  readonly outputs?: Readonly<Record<string, OutputSetting>> | undefined;
};

export type OutputSetting = {
  /** NaN and infinities are answers of this output like any other, such as the logarithm of 0. By default they are failures. */
  readonly nonFinite?: 'allow' | undefined;
};
