/**
 * The file of one example, little-endian:
 *
 *     0  8 bytes  USEXMPL1
 *     8  u32      length of the head
 *    12           head: JSON
 *                 bytes of the tensors: request, stable, candidate, each in the order of the head
 *
 * Its length must be what the head says, so a file that was cut off is none.
 */
import { isDtype, type Tensor } from '../core/tensor.ts';
import {
  BODY_PARTS,
  type ExampleBody,
  type ExampleHead,
  isExampleId,
  type TensorHead,
} from './example.ts';

const MAGIC = Buffer.from('USEXMPL1');

/** Bytes before the head. */
export const LEAD_BYTES = 12;

/** Far more than a head with the longest attributes takes. */
export const HEAD_BYTES_MAX = 1_048_576;

/** The file in pieces: the bytes of tensors are not copied. */
export function exampleFile(head: ExampleHead, body: ExampleBody | undefined): Uint8Array[] {
  const text = Buffer.from(JSON.stringify(head));
  const lead = Buffer.alloc(LEAD_BYTES);
  MAGIC.copy(lead);
  lead.writeUInt32LE(text.byteLength, MAGIC.byteLength);
  const data = body ? BODY_PARTS.flatMap((part) => body[part].map((tensor) => tensor.data)) : [];
  return [Buffer.concat([lead, text]), ...data];
}

/** The length of the head, from the first bytes of a file; undefined: it is none of ours. */
export function headBytesIn(lead: Buffer): number | undefined {
  if (lead.byteLength < LEAD_BYTES || Buffer.compare(lead.subarray(0, 8), MAGIC) !== 0)
    return undefined;
  const bytes = lead.readUInt32LE(MAGIC.byteLength);
  return bytes <= HEAD_BYTES_MAX ? bytes : undefined;
}

/** The head, of the example of this id in a file of so many bytes; undefined: it is broken, cut off or of another one. */
export function readHead(
  text: string,
  { id, headBytes, fileBytes }: { id: string; headBytes: number; fileBytes: number },
): ExampleHead | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isHead(value) || value.id !== id || !isExampleId(id)) return undefined;
  const bytes = BODY_PARTS.flatMap((part) => value.body?.[part] ?? []).reduce(
    (sum, tensor) => sum + tensor.bytes,
    LEAD_BYTES + headBytes,
  );
  return bytes === fileBytes ? value : undefined;
}

/** The tensors of a whole file whose head is this; undefined: it has none. */
export function readBody(file: Buffer, head: ExampleHead): ExampleBody | undefined {
  const { body } = head;
  const headBytes = headBytesIn(file);
  if (body === undefined || headBytes === undefined) return undefined;
  let at = LEAD_BYTES + headBytes;
  const next = ({ bytes, ...tensor }: TensorHead): Tensor => {
    at += bytes;
    return { ...tensor, data: file.subarray(at - bytes, at) };
  };
  const request = body.request.map(next);
  const stable = body.stable.map(next);
  const candidate = body.candidate.map(next);
  return at === file.byteLength ? { request, stable, candidate } : undefined;
}

/** So much of its form as is relied on: a file that this program wrote has the rest. */
function isHead(value: unknown): value is ExampleHead {
  if (typeof value !== 'object' || value === null) return false;
  const { id, rolloutId, requestId, unit, atMs, keptFor, keys, seen, said, attributes, body } =
    value as Partial<Record<keyof ExampleHead, unknown>>;
  const texts = [id, rolloutId, requestId, unit].every((text) => typeof text === 'string');
  const numbers = [atMs, seen].every((number) => Number.isFinite(number));
  const objects = [keys, said, attributes].every((each) => typeof each === 'object' && each);
  return texts && numbers && objects && Array.isArray(keptFor) && isBody(body);
}

function isBody(body: unknown): boolean {
  if (body === undefined) return true;
  if (typeof body !== 'object' || body === null) return false;
  return BODY_PARTS.every((part) => {
    const tensors = (body as Record<string, unknown>)[part];
    return Array.isArray(tensors) && tensors.every(isTensorHead);
  });
}

function isTensorHead(value: Partial<TensorHead> | null): boolean {
  const { name, dtype, shape, bytes } = value ?? {};
  return (
    typeof name === 'string' &&
    typeof dtype === 'string' &&
    isDtype(dtype) &&
    Array.isArray(shape) &&
    Number.isSafeInteger(bytes) &&
    (bytes ?? -1) >= 0
  );
}
