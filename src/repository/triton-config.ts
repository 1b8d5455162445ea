/**
 * The parts of a Triton model configuration that mean something here, as plain data: only what was said, enumerations by
 * their names (a number where it has none), 64-bit numbers as numbers. Other fields are there too, under their own names.
 */
export type TritonModelConfig = {
  readonly name?: string;
  readonly platform?: string;
  readonly backend?: string;
  /** 0, or absent: the first dimension of a tensor is not the batch. */
  readonly max_batch_size?: number;
  readonly input?: readonly TritonTensor[];
  readonly output?: readonly TritonTensor[];
  readonly version_policy?: TritonVersionPolicy;
  readonly dynamic_batching?: TritonDynamicBatching;
  readonly sequence_batching?: object;
  readonly ensemble_scheduling?: object;
  readonly instance_group?: readonly TritonInstanceGroup[];
  readonly default_model_filename?: string;
  readonly model_warmup?: readonly TritonWarmup[];
  readonly model_transaction_policy?: { readonly decoupled?: boolean };
  readonly parameters?: Readonly<Record<string, { readonly string_value?: string }>>;
  readonly optimization?: object;
  readonly batch_input?: readonly object[];
  readonly batch_output?: readonly object[];
};

/** An input or output; without the batch dimension where there is a `max_batch_size`. */
export type TritonTensor = {
  readonly name?: string;
  readonly data_type?: string | number;
  readonly format?: string | number;
  readonly dims?: readonly number[];
  readonly reshape?: { readonly shape?: readonly number[] };
  readonly label_filename?: string;
  readonly allow_ragged_batch?: boolean;
  readonly optional?: boolean;
  readonly is_shape_tensor?: boolean;
};

export type TritonVersionPolicy = {
  readonly latest?: { readonly num_versions?: number };
  readonly all?: object;
  readonly specific?: { readonly versions?: readonly number[] };
};

export type TritonQueuePolicy = {
  readonly timeout_action?: string | number;
  readonly default_timeout_microseconds?: number;
  readonly allow_timeout_override?: boolean;
  readonly max_queue_size?: number;
};

export type TritonDynamicBatching = {
  readonly max_queue_delay_microseconds?: number;
  readonly priority_levels?: number;
  readonly default_priority_level?: number;
  readonly default_queue_policy?: TritonQueuePolicy;
};

export type TritonInstanceGroup = {
  readonly kind?: string | number;
  readonly count?: number;
  readonly gpus?: readonly number[];
};

export type TritonWarmup = {
  readonly name?: string;
  readonly batch_size?: number;
  readonly count?: number;
  readonly inputs?: Readonly<Record<string, TritonWarmupInput>>;
};

export type TritonWarmupInput = {
  readonly data_type?: string | number;
  readonly dims?: readonly number[];
  readonly zero_data?: boolean;
  readonly random_data?: boolean;
  readonly input_data_file?: string;
};
