import { workerData } from 'node:worker_threads';
import { move } from 'piscina';
import { messageOf, ServeError, type ServeErrorCode } from '../core/errors.ts';
import type { ImageSpec } from './image-spec.ts';
import { imageTensor } from './image-tensor.ts';
import { type ReadLimits, readImage } from './read-image.ts';

/** What runs inside a codec's thread: one image to the data of one tensor. */
export type ImageJob = { readonly bytes: Uint8Array; readonly spec: ImageSpec };

/** A refusal is an answer too: errors lose their class and their code on the way between threads. */
export type Refusal = { readonly code: ServeErrorCode; readonly message: string };

/** Gives the tensor's data in an ArrayBuffer of its own, or a Refusal. */
export async function decode({
  bytes,
  spec,
}: ImageJob): Promise<ReturnType<typeof move> | Refusal> {
  try {
    return move(imageTensor(await readImage(bytes, spec, workerData as ReadLimits), spec));
  } catch (thrown) {
    const code = thrown instanceof ServeError ? thrown.code : 'internal';
    return { code, message: messageOf(thrown) };
  }
}
