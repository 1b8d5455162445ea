import type { Dtype } from './tensor.ts';

/** What an input of a warm-up holds. */
export type WarmupContent =
  | { readonly kind: 'zeros' }
  /** Small numbers, or short strings; the same ones for the same seed. */
  | { readonly kind: 'random'; readonly seed: number }
  /** The bytes of a tensor, as `Tensor.data` has them, in a file at this absolute path. */
  | { readonly kind: 'file'; readonly file: string };

/** One input of a warm-up: as a tensor, its bytes still to be made. */
export type WarmupInput = {
  readonly name: string;
  readonly dtype: Dtype;
  /** With the batch dimension, and none of them free. */
  readonly shape: readonly number[];
  readonly content: WarmupContent;
};

/** A request that every replica has to answer, `count` times, before a version is ready. */
export type WarmupSample = {
  readonly name: string;
  readonly count: number;
  readonly inputs: readonly WarmupInput[];
};
