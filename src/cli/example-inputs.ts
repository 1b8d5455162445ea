import type { Tensor } from '../core/tensor.ts';

/** A kept request, and what it must be answered with where that is to be checked. */
export type KeptSample = {
  readonly request: readonly Tensor[];
  readonly answer: readonly Tensor[] | undefined;
};

/** A file of inputs in the form of Triton's perf_analyzer, which `understudy bench --input-data` reads; tensors are in base64. */
export function inputsFileOf(samples: readonly KeptSample[]): string {
  const data = samples.map(({ request }) => entryOf(request));
  const answers = samples.flatMap(({ answer }) => (answer === undefined ? [] : [entryOf(answer)]));
  const validation = answers.length > 0 ? { validation_data: answers } : {};
  return `${JSON.stringify({ data, ...validation }, undefined, 1)}\n`;
}

function entryOf(tensors: readonly Tensor[]): object {
  return Object.fromEntries(
    tensors.map(({ name, shape, data }) => {
      const b64 = Buffer.from(data).toString('base64');
      return [name, { b64, shape }];
    }),
  );
}
