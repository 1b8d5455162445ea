/**
 * A model's configuration as clients read it. Names and values are those of
 * Triton's ModelConfig.
 */
export type Declared = {
  /** The layout of an image, by input: `FORMAT_NHWC` or `FORMAT_NCHW`. */
  readonly formats: ReadonlyMap<string, string>;
  /** The file of an output's labels, by output. */
  readonly labelFiles: ReadonlyMap<string, string>;
  /** Inputs that requests are said to be free to leave out. */
  readonly optional: ReadonlySet<string>;
  readonly parameters: ReadonlyMap<string, string>;
  readonly warmups: readonly DeclaredWarmup[];
};

export type DeclaredWarmup = {
  readonly name: string;
  readonly batch_size: number;
  readonly inputs: Readonly<Record<string, DeclaredWarmupInput>>;
  readonly count: number;
};

/** One of the last three is there. */
export type DeclaredWarmupInput = {
  readonly data_type: string;
  readonly dims: readonly number[];
  readonly zero_data?: boolean;
  readonly random_data?: boolean;
  readonly input_data_file?: string;
};
