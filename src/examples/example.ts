import type { Difference } from '../core/comparison.ts';
import { saltedHash } from '../core/hash.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Said } from './said.ts';

/** Why an example is kept. `label`: the label queue asked for it. */
export type KeptFor = 'largest' | 'random' | 'label';

/** What is in a body: the request's inputs, and each version's outputs. */
export const BODY_PARTS = ['request', 'stable', 'candidate'] as const;
export type BodyPart = (typeof BODY_PARTS)[number];

/** Tensors of a body; of a side that failed there are none. */
export type ExampleBody = Readonly<Record<BodyPart, readonly Tensor[]>>;

/** A tensor as the head of a file has it: its bytes come after the head, in this order. */
export type TensorHead = Pick<Tensor, 'name' | 'dtype' | 'shape'> & { readonly bytes: number };

/** One compared request, as it is kept. Everything in it may be shown to who may see examples, `unit` excepted. */
export type ExampleHead = {
  /** 16 hex digits. */
  readonly id: string;
  readonly rolloutId: string;
  /** Of the gateway's own; a label by feedback token has it too. */
  readonly requestId: string;
  /** A hash of the unit, so that all examples of one can be found and deleted. */
  readonly unit: string;
  /** When it was compared, wall clock. */
  readonly atMs: number;
  readonly versions: { readonly stable: string; readonly candidate: string };
  /** The declared attributes. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly difference: Difference;
  /** Undefined: a side failed, or the answers had nothing to compare. */
  readonly score: number | undefined;
  /** The greatest distance of a row, by output, in the unit of its family; undefined: none is measured. */
  readonly distances: Readonly<Record<string, number>> | undefined;
  /** What each version said, in short. */
  readonly said: { readonly stable: Said; readonly candidate: Said };
  readonly keptFor: readonly KeptFor[];
  /** Its place in the random sample, which the smallest make up, and among equal differences. In [0, 1). */
  readonly keys: { readonly sample: number; readonly tie: number };
  /** Pairs of the rollout until then, itself included. */
  readonly seen: number;
  /** Undefined: only this is kept. */
  readonly body: Readonly<Record<BodyPart, readonly TensorHead[]>> | undefined;
  /** Inputs that were left out as `redact` says. */
  readonly redacted: readonly string[];
  /** Why there is no body where bodies are kept. */
  readonly bodyLeftOut: 'tooLarge' | undefined;
};

/** What is to be kept. */
export type NewExample = {
  readonly head: Omit<ExampleHead, 'unit' | 'body' | 'redacted' | 'bodyLeftOut'>;
  /** As it came with the request; only a hash of it is kept. */
  readonly unit: string;
  readonly tensors: ExampleBody;
};

const ID = /^[0-9a-f]{16}$/;

/** The id of the example of a request in a rollout: never anything that could lead to another file. */
export function exampleId(rolloutId: string, requestId: string): string {
  return saltedHash(`example of ${rolloutId}`, requestId);
}

export function isExampleId(text: string): boolean {
  return ID.test(text);
}
