import { isDtype, type Tensor } from '../core/tensor.ts';
import type { BodyPart } from '../examples/example.ts';
import { type AdminClient, modelPath } from './admin-client.ts';
import type { BytesAnswer } from './exchange.ts';
import { CommandError, EXIT } from './exit-code.ts';

const LENGTH_HEADER = 'inference-header-content-length';

/** What goes before the bytes of tensors, in the protocol's binary form. */
type Head = {
  readonly name?: unknown;
  readonly datatype?: unknown;
  readonly shape?: unknown;
  readonly parameters?: { readonly binary_data_size?: unknown };
};

/** The path of an example in the admin API. */
export function examplePath(model: string, id: string): string {
  return `${modelPath(model)}/examples/${encodeURIComponent(id)}`;
}

/** The tensors of one part of an example. Rejects with a CommandError where none are kept. */
export async function tensorsOf(
  client: AdminClient,
  path: string,
  part: BodyPart,
): Promise<readonly Tensor[]> {
  return tensorsIn(await client.bytes(`${path}/${part}`));
}

/**
 * The tensors of an answer in the protocol's binary form.
 *
 * @throws CommandError with the server's own words where it refused, and for an answer that is none.
 */
export function tensorsIn({ status, headers, bytes }: BytesAnswer): readonly Tensor[] {
  if (status !== 200) throw new CommandError(EXIT.failed, refusalIn(status, bytes));
  const headBytes = Number(headers[LENGTH_HEADER] ?? bytes.byteLength);
  try {
    const head = JSON.parse(bytes.toString('utf8', 0, headBytes)) as Record<string, Head[]>;
    let at = headBytes;
    return (head['inputs'] ?? head['outputs'] ?? []).map((each) => {
      const size = Number(each.parameters?.binary_data_size);
      at += size;
      return tensorOf(each, bytes.subarray(at - size, at), size);
    });
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw noTensors();
  }
}

/** A request for inference with these inputs, which asks for an answer in the same form. */
export function requestOf(inputs: readonly Tensor[]): {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
} {
  const list = inputs.map(({ name, dtype, shape, data }) => ({
    ...{ name, datatype: dtype, shape },
    parameters: { binary_data_size: data.byteLength },
  }));
  const head = Buffer.from(
    JSON.stringify({ parameters: { binary_data_output: true }, inputs: list }),
  );
  return {
    headers: {
      'content-type': 'application/octet-stream',
      [LENGTH_HEADER]: String(head.byteLength),
    },
    body: Buffer.concat([head, ...inputs.map(({ data }) => data)]),
  };
}

function tensorOf({ name, datatype, shape }: Head, data: Uint8Array, size: number): Tensor {
  const isWhole =
    typeof name === 'string' &&
    typeof datatype === 'string' &&
    isDtype(datatype) &&
    Array.isArray(shape) &&
    data.byteLength === size;
  if (!isWhole) throw noTensors();
  return { name, dtype: datatype, shape, data };
}

function noTensors(): CommandError {
  return new CommandError(
    EXIT.unreachable,
    'expected tensors in the binary form of the protocol, found another answer. Is it a gateway of another version than this command?',
  );
}

function refusalIn(status: number, bytes: Buffer): string {
  try {
    const { error } = JSON.parse(bytes.toString()) as { readonly error?: unknown };
    if (typeof error === 'string') return error;
  } catch {
    // It is no JSON.
  }
  return `expected status 200, found ${status}`;
}
