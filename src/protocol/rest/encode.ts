import { runSliced, type SlicedTask, type TimeSlicer } from '../../concurrency/time-slicer.ts';
import type { InferResponse } from '../../core/infer.ts';
import type { Tensor } from '../../core/tensor.ts';
import { FEEDBACK_HEADER } from './answer-headers.ts';
import type { Wanted } from './decode.ts';
import { JsonElements } from './encode-json.ts';

/** An answer as it goes onto the wire. */
export type Encoded = {
  readonly contentType: 'application/json' | 'application/octet-stream';
  /** For the header `inference-header-content-length`; undefined where all is JSON. */
  readonly headBytes: number | undefined;
  readonly body: string | Buffer;
};

/** JSON up to this length is handed over as a string, which costs least; a longer one is made bytes of in slices. */
const TEXT_LENGTH_MAX = 65_536;

/**
 * From an InferResponse to HTTP: each output in JSON or behind it in binary, as the request said for that output, else for
 * all. The token is among the answer's `parameters`, as many clients show no headers. Outputs in JSON carry no `parameters`: clients take those for a sign of binary data.
 */
export async function encodeInfer(
  response: InferResponse,
  wanted: Wanted & { readonly token: string | undefined },
  slicer: TimeSlicer,
): Promise<Encoded> {
  const texts: string[] = [openingOf(response, wanted)];
  const binary: Uint8Array[] = [];
  let separator = '';
  for (const tensor of response.outputs) {
    texts.push(separator, headOf(tensor));
    separator = ',';
    if (wanted.binaryByOutput.get(tensor.name) ?? wanted.binary) {
      texts.push(`,"parameters":{"binary_data_size":${tensor.data.byteLength}}}`);
      if (tensor.data.byteLength > 0) binary.push(tensor.data);
    } else {
      const elements = new JsonElements(tensor);
      await runSliced(elements, slicer);
      texts.push(',"data":[', ...elements.pieces, ']}');
    }
  }
  texts.push(']}');
  return assemble(texts, binary, slicer);
}

function openingOf(
  { model, version }: InferResponse,
  { id, token }: { readonly id: string | undefined; readonly token: string | undefined },
): string {
  const echo = id === undefined || id === '' ? '' : `"id":${JSON.stringify(id)},`;
  const parameters =
    token === undefined ? '' : `"parameters":{"${FEEDBACK_HEADER}":${JSON.stringify(token)}},`;
  return `{${echo}"model_name":${JSON.stringify(model)},"model_version":${JSON.stringify(version)},${parameters}"outputs":[`;
}

function headOf({ name, dtype, shape }: Tensor): string {
  return `{"name":${JSON.stringify(name)},"datatype":"${dtype}","shape":[${shape.join(',')}]`;
}

async function assemble(
  texts: readonly string[],
  binary: readonly Uint8Array[],
  slicer: TimeSlicer,
): Promise<Encoded> {
  let length = 0;
  for (const text of texts) length += text.length;
  const parts = length <= TEXT_LENGTH_MAX ? [texts.join('')] : texts;
  const [only = ''] = parts;
  if (binary.length === 0 && parts.length === 1) {
    return { contentType: 'application/json', headBytes: undefined, body: only };
  }
  const body = new Assembly(parts, binary);
  await runSliced(body, slicer);
  const isJson = binary.length === 0;
  return {
    contentType: isJson ? 'application/json' : 'application/octet-stream',
    headBytes: isJson ? undefined : body.headBytes,
    body: body.bytes,
  };
}

/** Bytes copied in the time of one that is written as JSON. */
const COPY_SPEED = 16;

/** Joins texts and tensors, a bounded piece at a time. */
class Assembly implements SlicedTask {
  readonly headBytes: number;
  readonly bytes: Buffer;
  readonly #texts: readonly string[];
  readonly #tensors: readonly Uint8Array[];
  #text = 0;
  #tensor = 0;
  #at = 0;
  /** Bytes of the current tensor that are copied. */
  #copied = 0;

  constructor(texts: readonly string[], tensors: readonly Uint8Array[]) {
    this.headBytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    const size = tensors.reduce((sum, tensor) => sum + tensor.byteLength, this.headBytes);
    this.bytes = Buffer.allocUnsafe(size);
    this.#texts = texts;
    this.#tensors = tensors;
  }

  step(budgetBytes: number): boolean {
    const until = this.#at + budgetBytes * COPY_SPEED;
    while (this.#at < until) {
      const text = this.#texts[this.#text];
      if (text !== undefined) {
        this.#at += this.bytes.write(text, this.#at);
        this.#text += 1;
      } else if (!this.#copy(until - this.#at)) return true;
    }
    return this.#at === this.bytes.byteLength;
  }

  /** False where nothing is left to copy. */
  #copy(bytesMax: number): boolean {
    const tensor = this.#tensors[this.#tensor];
    if (tensor === undefined) return false;
    const piece = tensor.subarray(this.#copied, this.#copied + bytesMax);
    this.bytes.set(piece, this.#at);
    this.#at += piece.byteLength;
    this.#copied += piece.byteLength;
    if (this.#copied === tensor.byteLength) {
      this.#tensor += 1;
      this.#copied = 0;
    }
    return true;
  }
}
