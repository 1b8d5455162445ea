import { type Reshape, reshapedTo, reshapeOf, servedSignature } from '../core/reshape.ts';
import { formatShape, type Tensor } from '../core/tensor.ts';
import type { OpenModel } from '../runtime/runtime.ts';

/**
 * A model that takes and gives tensors in the shapes that callers see. Only shapes change: the bytes are the same in the same
 * order, so rows stay rows and requests share its runs as they would share those of the model itself.
 */
export function reshapedModel(model: OpenModel, reshapes: readonly Reshape[]): OpenModel {
  if (reshapes.length === 0) return model;
  return {
    ...model,
    signature: servedSignature(model.signature, reshapes),
    run: async (inputs, requests) => {
      const outputs = await model.run(
        inputs.map((input) => toModel(input, reshapes)),
        requests,
      );
      return outputs.map((output) => fromModel(output, reshapes));
    },
  };
}

function toModel(input: Tensor, reshapes: readonly Reshape[]): Tensor {
  const reshape = reshapeOf(reshapes, 'input', input.name);
  return reshape ? turned(input, reshape.served, reshape.model) : input;
}

function fromModel(output: Tensor, reshapes: readonly Reshape[]): Tensor {
  const reshape = reshapeOf(reshapes, 'output', output.name);
  return reshape ? turned(output, reshape.model, reshape.served) : output;
}

function turned(tensor: Tensor, from: readonly number[], to: readonly number[]): Tensor {
  const shape = reshapedTo(tensor.shape, from, to);
  if (shape !== undefined) return { ...tensor, shape };
  throw new Error(
    `'${tensor.name}': expected shape ${formatShape(from)}, which is reshaped to ${formatShape(to)}, found ${formatShape(tensor.shape)}`,
  );
}
