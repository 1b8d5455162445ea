import type { ExampleSetting } from '../core/example-setting.ts';
import { ownTensors } from '../core/own-tensors.ts';
import { type Tensor, tensorBytes } from '../core/tensor.ts';
import {
  BODY_PARTS,
  type BodyPart,
  type ExampleBody,
  type ExampleHead,
  type NewExample,
  type TensorHead,
} from './example.ts';

/** What is kept of an example. */
export type KeptForm = { readonly head: ExampleHead; readonly body: ExampleBody | undefined };

/** The part of the room that one example may take. */
const LARGEST_PART = 16;
const LARGEST_BYTES_MAX = 32 * 1024 * 1024;

/** Tensor bytes that one example may have at most, of a model whose examples may take so many together. */
export function largestBytes(bytesMax: number): number {
  return Math.min(Math.floor(bytesMax / LARGEST_PART), LARGEST_BYTES_MAX);
}

/** An example as the setting allows it to be kept: what is redacted is left out here, before anything is written. */
export function keptForm(
  { head, unit, tensors }: NewExample,
  { keep, redact, bytesMax }: ExampleSetting,
  hashUnit: (unit: string) => string,
): KeptForm {
  const bare = {
    ...head,
    unit: hashUnit(unit),
    body: undefined,
    redacted: [],
    bodyLeftOut: undefined,
  };
  if (keep !== 'bodies') return { head: bare, body: undefined };
  const body = {
    ...tensors,
    request: tensors.request.filter(({ name }) => !redact.includes(name)),
  };
  const bytes = BODY_PARTS.reduce((sum, part) => sum + tensorBytes(body[part]), 0);
  if (bytes > largestBytes(bytesMax))
    return { head: { ...bare, bodyLeftOut: 'tooLarge' }, body: undefined };
  const names = tensors.request.map(({ name }) => name);
  const owned = mapBody(body, ownTensors);
  return {
    head: {
      ...bare,
      body: mapBody(owned, headsOf),
      redacted: names.filter((name) => redact.includes(name)),
    },
    body: owned,
  };
}

/** Whether an example that is kept may still be, as the setting is now. */
export function isAllowed({ body }: ExampleHead, { keep, redact }: ExampleSetting): boolean {
  if (keep === 'off') return false;
  if (body === undefined) return true;
  return keep === 'bodies' && !body.request.some(({ name }) => redact.includes(name));
}

function headsOf(tensors: readonly Tensor[]): readonly TensorHead[] {
  return tensors.map(({ name, dtype, shape, data }) => {
    return { name, dtype, shape, bytes: data.byteLength };
  });
}

function mapBody<T>(
  { request, stable, candidate }: ExampleBody,
  change: (tensors: readonly Tensor[]) => T,
): Readonly<Record<BodyPart, T>> {
  return { request: change(request), stable: change(stable), candidate: change(candidate) };
}
