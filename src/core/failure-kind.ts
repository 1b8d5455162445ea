import { ServeError, type ServeErrorCode } from './errors.ts';

/** The ways in which a version on trial, or its reference, fails a request. */
export const FAILURE_KINDS = [
  /** A NaN or an infinity in an output that is not declared to have them. */
  'nonFinite',
  /** An output that stable gives was not given. */
  'missing',
  /** An output is not in the form of stable's: datatype, rank, fixed dimensions, or the rows of the request. */
  'shape',
  /** It refused a request that the other version takes. */
  'refused',
  /** Its answer was not there in time. */
  'timeout',
  /** Its run never ended, and its process was killed. */
  'hang',
  /** Its process exited with the request in flight. */
  'hostLost',
  /** Its run failed. */
  'runtime',
  /** It took no requests: not ready, or its queue was full. */
  'unavailable',
] as const;

export type FailureKind = (typeof FAILURE_KINDS)[number];

/** Failed requests by kind; a kind that did not occur is left out. */
export type FailureCounts = Readonly<Partial<Record<FailureKind, number>>>;

/** An answer that is not in the form of stable's. */
export class UnfitAnswerError extends ServeError {
  readonly failureKind: FailureKind;

  constructor(failureKind: FailureKind, message: string) {
    super('runtime_failed', message);
    this.failureKind = failureKind;
  }
}

/** A failure as observed: the code that callers see, and the kind where the code does not tell it. */
export type ObservedFailure = {
  readonly code: ServeErrorCode;
  readonly failureKind?: FailureKind | undefined;
};

/** Which way of failing it is; undefined for what is no failure of a version: the caller's own doing, or a fault of its request. */
export function failureKindOf({ code, failureKind }: ObservedFailure): FailureKind | undefined {
  return failureKind ?? KIND_OF_CODE[code];
}

const KIND_OF_CODE: Partial<Record<ServeErrorCode, FailureKind>> = {
  invalid_input: 'refused',
  deadline_exceeded: 'timeout',
  host_lost: 'hostLost',
  runtime_failed: 'runtime',
  internal: 'runtime',
  load_failed: 'unavailable',
  version_not_ready: 'unavailable',
  overloaded: 'unavailable',
  memory_full: 'unavailable',
};
