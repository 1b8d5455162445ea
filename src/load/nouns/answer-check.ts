import type { Tensor } from '../../core/tensor.ts';

/** How an answer's bytes are read. */
export type AnswerForm = 'rest-json' | 'rest-binary' | 'grpc';

/** What answers must hold to be good. Plain data. */
export type AnswerCheck = {
  readonly form: AnswerForm;
  /**
   * For each request of the plan the outputs that its answer must have; undefined: those of its first answer, so that a
   * server must agree with itself.
   */
  readonly expected: readonly (readonly Tensor[] | undefined)[];
  /** A number may be off by this much, plus `relative` times the expected number. Text and whole numbers: by nothing. */
  readonly absolute: number;
  readonly relative: number;
};
