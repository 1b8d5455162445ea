import type { Dtype } from '../../core/tensor.ts';

/** Reads the elements of one datatype from JSON into the tensor's bytes. */
export type ElementReader = {
  /** Elements read so far; those that there was no room for count too. */
  readonly count: number;
  /**
   * Reads the element at `at`, and those that follow it after nothing but a comma and a space for as long as they begin
   * before `until`. Returns the byte after the last one.
   */
  readonly read: (at: number, until: number) => number;
  /** The tensor's bytes, once all is read. */
  readonly bytes: () => Uint8Array;
};

export type ElementSource = {
  readonly json: Buffer;
  readonly dtype: Dtype;
  /** Elements that there is room for; more are read and dropped, so that they can be counted. */
  readonly capacity: number;
  /** Bytes of all elements in JSON. */
  readonly jsonBytes: number;
  /** The input, for messages. */
  readonly name: string;
};
