import type { Declared, DeclaredWarmup, DeclaredWarmupInput } from '../core/declared.ts';
import type { TritonModelConfig, TritonWarmup, TritonWarmupInput } from './triton-config.ts';

/** The parts of a configuration that clients may ask for as they were written. */
export function declaredIn(config: TritonModelConfig): Declared {
  const { input = [], output = [], parameters = {}, model_warmup: warmups = [] } = config;
  return {
    formats: new Map(
      input.flatMap(({ name = '', format }) =>
        format === undefined || format === 'FORMAT_NONE' ? [] : [[name, String(format)]],
      ),
    ),
    labelFiles: new Map(
      output.flatMap(({ name = '', label_filename: file }) => (file ? [[name, file]] : [])),
    ),
    optional: new Set(input.flatMap(({ name = '', optional }) => (optional ? [name] : []))),
    parameters: new Map(
      Object.entries(parameters).map(([name, { string_value: text = '' }]) => [name, text]),
    ),
    warmups: warmups.map(warmupOf),
  };
}

function warmupOf({ name = '', batch_size = 0, count = 0, inputs = {} }: TritonWarmup) {
  const entries = Object.entries(inputs).map(([input, said]) => [input, inputOf(said)] as const);
  return {
    name,
    batch_size,
    inputs: Object.fromEntries(entries),
    count,
  } satisfies DeclaredWarmup;
}

function inputOf({ data_type = 'TYPE_INVALID', dims = [], ...content }: TritonWarmupInput) {
  return { data_type: String(data_type), dims, ...content } satisfies DeclaredWarmupInput;
}
