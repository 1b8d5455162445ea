/**
 * What callers say about a request in addition to its tensors. The names and their meaning are the protocol's; a wire brings them in its
 * own types (numbers in JSON, 64-bit integers in gRPC), and here they become ours.
 */
import { unexpected } from './refusal.ts';

export type ParameterValue = string | number | bigint | boolean;

export type Parameters = Readonly<Record<string, ParameterValue>>;

export type Wire = 'http' | 'grpc';

/** The parameters of a request that mean something to us. Names of the caller's own are accepted, and mean nothing. */
export type RequestParameters = {
  /** Undefined where there is none: absent, 0 or empty. */
  readonly sequenceId: string | undefined;
  /**
   * The first and the last request of a sequence. A sequence is one unit and so never changes version, from the first request
   * to the last; there is no state between its requests, so that nothing has to be begun or ended.
   */
  readonly sequenceStart: boolean;
  readonly sequenceEnd: boolean;
  /** 0: the model's default level; 1 is the most urgent. */
  readonly priority: number;
  /** How long the caller waits; undefined where nothing is said (absent or 0). Microseconds on the wire. */
  readonly timeoutMs: number | undefined;
  /** True: outputs that say nothing themselves come in binary. Means nothing in gRPC, where all do. */
  readonly binaryDataOutput: boolean;
  /** True: a stream ends the answers to a request with an empty one. */
  readonly emptyFinalResponse: boolean;
};

/** The one reserved name that callers may use, and only over gRPC: HTTP has no streams. */
const EMPTY_FINAL_RESPONSE = 'triton_enable_empty_final_response';

const NOTHING_SAID: RequestParameters = {
  sequenceId: undefined,
  sequenceStart: false,
  sequenceEnd: false,
  priority: 0,
  timeoutMs: undefined,
  binaryDataOutput: false,
  emptyFinalResponse: false,
};

/** @throws ServeError `invalid_input` for a reserved name, and for a value that its name does not allow. */
export function readParameters(parameters: Parameters, wire: Wire): RequestParameters {
  const names = Object.keys(parameters);
  if (names.length === 0) return NOTHING_SAID;
  for (const name of names) refuseReserved(name, wire);
  return {
    sequenceId: sequenceIdOf(parameters['sequence_id']),
    sequenceStart: flagOf(parameters, 'sequence_start'),
    sequenceEnd: flagOf(parameters, 'sequence_end'),
    priority: countOf(parameters, 'priority'),
    timeoutMs: countOf(parameters, 'timeout') / 1_000 || undefined,
    binaryDataOutput: flagOf(parameters, 'binary_data_output'),
    emptyFinalResponse: flagOf(parameters, EMPTY_FINAL_RESPONSE),
  };
}

/**
 * How many classes a caller wants in place of a requested output; undefined: the output itself.
 * @throws ServeError `invalid_input`.
 */
export function classCountOf(parameters: Parameters, output: string): number | undefined {
  const value = parameters['classification'];
  if (value === undefined) return undefined;
  const count = wholeNumber(value);
  if (count !== undefined && count > 0) return count;
  throw unexpected(`classification of output '${output}'`, 'a whole number from 1', value);
}

function refuseReserved(name: string, wire: Wire): void {
  if (!name.startsWith('triton_')) return;
  if (wire === 'grpc' && name === EMPTY_FINAL_RESPONSE) return;
  throw unexpected(
    `parameter '${name}'`,
    "no name that starts with 'triton_', as those are reserved",
    name,
  );
}

function sequenceIdOf(value: ParameterValue | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint' && value >= 0n) return value === 0n ? undefined : String(value);
  // Beyond this, two ids that differ would have become one number when JSON was parsed.
  const count = wholeNumber(value);
  if (count === undefined) {
    throw unexpected('sequence_id', `a string, or a whole number from 0 to ${SAFE_MAX}`, value);
  }
  return count === 0 ? undefined : String(count);
}

const SAFE_MAX = Number.MAX_SAFE_INTEGER;

function flagOf(parameters: Parameters, name: string): boolean {
  const value = parameters[name];
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw unexpected(name, 'true or false', value);
}

function countOf(parameters: Parameters, name: string): number {
  const value = parameters[name];
  if (value === undefined) return 0;
  const count = wholeNumber(value);
  if (count !== undefined) return count;
  throw unexpected(name, `a whole number from 0 to ${SAFE_MAX}`, value);
}

function wholeNumber(value: ParameterValue): number | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}
