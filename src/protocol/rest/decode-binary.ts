import { ServeError } from '../../core/errors.ts';
import {
  byteLengthOf,
  elementCount,
  formatShape,
  isBatchable,
  type Signature,
  type Tensor,
} from '../../core/tensor.ts';

/** The header that says how many bytes of a body are JSON; the tensors follow behind them. */
export const HEADER_LENGTH = 'inference-header-content-length';

/**
 * How many bytes of the body are JSON; undefined where the header is absent and all of it is.
 * @throws ServeError `invalid_input` where the header is no whole number within the body.
 */
export function headerLengthOf(
  header: string | string[] | undefined,
  bodyBytes: number,
): number | undefined {
  if (header === undefined) return undefined;
  const text = String(header);
  const length = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (length >= 0 && length <= bodyBytes) return length;
  throw new ServeError(
    'invalid_input',
    `unexpected Inference-Header-Content-Length: expected a whole number from 0 to ${bodyBytes} (the body's bytes), found '${text.slice(0, 40)}'`,
  );
}

/** Deals out the binary part of a body, in order. What it hands out are views: nothing is copied. */
export class BinaryPart {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** @throws ServeError `invalid_input` where fewer bytes are left. */
  take(name: string, sizeBytes: number): Uint8Array {
    const left = this.#bytes.byteLength - this.#at;
    if (sizeBytes > left) {
      throw new ServeError(
        'invalid_input',
        `unexpected size for input '${name}', expecting ${sizeBytes - left} additional bytes: expected ${sizeBytes} bytes, found ${left}. ` +
          'Binary data needs a valid Inference-Header-Content-Length',
      );
    }
    this.#at += sizeBytes;
    return this.#bytes.subarray(this.#at - sizeBytes, this.#at);
  }

  /** @throws ServeError `invalid_input` where bytes are left over. */
  end(model: string): void {
    const left = this.#bytes.byteLength - this.#at;
    if (left === 0) return;
    throw new ServeError(
      'invalid_input',
      `unexpected additional input data for model '${model}': expected ${this.#at} bytes of binary data, found ${this.#bytes.byteLength} (${left} left over)`,
    );
  }
}

/**
 * A raw request: the whole body is the model's only input, whose shape is worked out from the number of bytes. The batch
 * counts as one row; one further dimension may be free.
 * @throws ServeError `invalid_input` where the model or the body does not allow that.
 */
export function decodeRaw(model: string, signature: Signature, body: Buffer): Tensor {
  const [spec, second] = signature.inputs;
  if (spec === undefined || second !== undefined) {
    throw refuseRaw(
      model,
      `a model with exactly 1 input, found one with ${signature.inputs.length}`,
    );
  }
  const { name, dtype } = spec;
  const shape = isBatchable(signature) ? [1, ...spec.shape.slice(1)] : [...spec.shape];
  const free = shape.filter((dimension) => dimension === -1).length;
  if (free > 1) {
    throw refuseRaw(model, `at most 1 free dimension, found ${formatShape(spec.shape)}`);
  }
  if (dtype === 'BYTES') {
    if (free > 0 || elementCount(shape) !== 1) {
      throw refuseRaw(model, `one string, found shape ${formatShape(spec.shape)}`);
    }
    return { name, dtype, shape, data: lengthPrefixed(body) };
  }
  const filled = shape.map((dimension) => (dimension === -1 ? 1 : dimension));
  const stepBytes = byteLengthOf(dtype, filled) ?? 0;
  const count = stepBytes === 0 ? 1 : body.byteLength / stepBytes;
  if (!Number.isInteger(count) || (free === 0 && count !== 1)) {
    const wanted = free === 0 ? `${stepBytes} bytes` : `a multiple of ${stepBytes} bytes`;
    throw refuseRaw(model, `${wanted} for ${formatShape(shape)}, found ${body.byteLength}`);
  }
  return {
    name,
    dtype,
    shape: shape.map((dimension) => (dimension === -1 ? count : dimension)),
    data: body,
  };
}

function refuseRaw(model: string, detail: string): ServeError {
  return new ServeError(
    'invalid_input',
    `unexpected raw binary request for model '${model}': expected ${detail}`,
  );
}

function lengthPrefixed(body: Buffer): Buffer {
  const data = Buffer.allocUnsafe(4 + body.byteLength);
  data.writeUInt32LE(body.byteLength);
  data.set(body, 4);
  return data;
}
