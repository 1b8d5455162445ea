import type { Caller } from '../../core/caller.ts';
import { ServeError } from '../../core/errors.ts';
import type { InferRequest } from '../../core/infer.ts';
import {
  DTYPE_BYTES,
  DTYPES,
  elementCount,
  formatShape,
  isDtype,
  type Tensor,
} from '../../core/tensor.ts';
import type { ClassCounts } from '../classify.ts';
import { classCountOf, readParameters } from '../parameters.ts';
import { unexpected, wholeText } from '../refusal.ts';
import { type HeaderOf, type RoutingSettings, routingKeyOf } from '../routing-key.ts';
import { sentIdOf } from '../sent-id.ts';
import { type ContentsQuota, decodeContents } from './decode-contents.ts';
import type { ContentsForm } from './encode.ts';
import type { InferMessage, InputMessage, MessageParameters } from './infer-message.ts';
import { timeoutMsOf } from './metadata.ts';
import { Quota } from './quota.ts';

/** What comes with a message. */
export type DecodeContext = {
  readonly routing: RoutingSettings;
  readonly header: HeaderOf;
  /** Our id for the request. */
  readonly requestId: string;
  /** The span that the request is part of from here on. */
  readonly traceparent: string | undefined;
  /** The caller's id of it. */
  readonly callerId: string | undefined;
  /** When it came, on the monotonic clock. */
  readonly startedMs: number;
  /** When its caller stops waiting, on the same clock; Infinity: never. */
  readonly callDeadlineMs: number;
  /** Undefined: authentication is off. */
  readonly caller?: Caller | undefined;
};

export type Decoded = {
  readonly request: InferRequest;
  /** How the answer's tensors are to be written. */
  readonly form: ContentsForm;
  readonly classCounts: ClassCounts;
};

/** A request parameter of ours. True: the answer's tensors come in typed contents alone; false: raw alone. */
const TYPED_PARAMETER = 'typed_contents';

const DIMENSIONS_MAX = 32;

/**
 * From a message to an InferRequest. Raw tensors, and floats packed in one piece, are views of the message.
 * @throws ServeError saying what was expected and what was found.
 */
export function decodeInfer(message: InferMessage, context: DecodeContext): Decoded {
  const { routing, header, requestId, traceparent, callerId, startedMs, callDeadlineMs } = context;
  const { model, version, parameters, outputs } = message;
  const read = readParameters(parameters, 'grpc');
  const { unit, attributes } = routingKeyOf(routing, {
    header,
    sequenceId: read.sequenceId,
    requestId,
  });
  const waitMs = Math.min(routing.deadlineMs, read.timeoutMs ?? Infinity, timeoutMsOf(header));
  for (const output of outputs) refuseSharedMemory(output.parameters, `output '${output.name}'`);
  const request = {
    id: requestId,
    traceparent,
    callerId,
    sentId: sentIdOf(message.id),
    caller: context.caller?.name,
    grants: context.caller?.grants,
    pinRole: routing.pin,
    model,
    version: version === '' ? undefined : version,
    unit,
    inSequence: read.sequenceId !== undefined,
    attributes,
    priority: read.priority,
    inputs: tensorsOf(message),
    outputs: outputs.length === 0 ? undefined : outputs.map((output) => output.name),
    deadlineMs: Math.min(callDeadlineMs, startedMs + waitMs),
  };
  return { request, form: formOf(message), classCounts: classCountsOf(message) };
}

/** A client that sends typed contents may read nothing else, as KServe's, or only raw ones, as Triton's examples: so both come. */
function formOf({ parameters, inputs, raw }: InferMessage): ContentsForm {
  const value = parameters[TYPED_PARAMETER];
  if (value === undefined) return raw.length === 0 && inputs.length > 0 ? 'both' : 'raw';
  if (typeof value === 'boolean') return value ? 'typed' : 'raw';
  throw unexpected(TYPED_PARAMETER, 'true or false', value);
}

function classCountsOf({ outputs }: InferMessage): ClassCounts {
  if (outputs.length === 0) return NO_COUNTS;
  const counts = new Map<string, number>();
  for (const { name, parameters } of outputs) {
    const count = classCountOf(parameters, name);
    if (count !== undefined) counts.set(name, count);
  }
  return counts;
}

const NO_COUNTS: ClassCounts = new Map();

function tensorsOf({ model, inputs, raw }: InferMessage): readonly Tensor[] {
  if (raw.length > inputs.length) {
    throw new ServeError(
      'invalid_input',
      `unexpected additional input data for model '${model}': expected ${inputs.length} raw_input_contents, found ${raw.length}`,
    );
  }
  const quota = {
    values: new Quota(CONTENTS_VALUES_MAX),
    elements: new Quota(CONTENTS_ELEMENTS_MAX),
  };
  return inputs.map((input, index) => tensorOf(input, { model, raw: raw[index], quota }));
}

/** Typed contents are read in one go: so many take some hundred milliseconds at most. */
const CONTENTS_ELEMENTS_MAX = 16_777_216;

/** Each is an object while it is looked at. */
const CONTENTS_VALUES_MAX = 1_048_576;

type Beside = {
  readonly model: string;
  readonly raw: Buffer | undefined;
  readonly quota: ContentsQuota;
};

function tensorOf(input: InputMessage, { model, raw, quota }: Beside): Tensor {
  const { name, dtype, contents } = input;
  const where = `input '${name}'`;
  refuseSharedMemory(input.parameters, where);
  if (!isDtype(dtype))
    throw unexpected(`datatype of ${where}`, `one of ${DTYPES.join(', ')}`, dtype);
  const shape = checkedShape(input, DTYPE_BYTES[dtype]);
  if (contents.length > 0) {
    if (raw !== undefined) {
      throw new ServeError(
        'invalid_input',
        `contents field must not be specified when using raw_input_contents for '${name}' for model '${model}': expected one of the two, found both`,
      );
    }
    return { name, dtype, shape, data: decodeContents(contents, { name, dtype, quota }) };
  }
  if (raw !== undefined) return { name, dtype, shape, data: raw };
  if (elementCount(shape) === 0) return { name, dtype, shape, data: EMPTY };
  throw new ServeError(
    'invalid_input',
    `unable to find data for input tensor '${name}' for model '${model}' in request: expected raw_input_contents or contents, found neither`,
  );
}

const EMPTY = new Uint8Array();

function checkedShape(
  { name, shape, inexact }: InputMessage,
  elementBytes: number,
): readonly number[] {
  const where = `input '${name}'`;
  if (shape.length > DIMENSIONS_MAX) {
    throw unexpected(`shape of ${where}`, `at most ${DIMENSIONS_MAX} dimensions`, shape.length);
  }
  const bad = shape.find((dimension) => dimension < 0 || !Number.isSafeInteger(dimension));
  if (bad !== undefined) {
    throw unexpected(
      `dimension of ${where}`,
      `0 to ${Number.MAX_SAFE_INTEGER}`,
      Number.isSafeInteger(bad) ? bad : inexact,
    );
  }
  const elements = elementCount(shape);
  // Written so that NaN is refused too: what beyond all bounds comes to times 0.
  if (!(elements <= Number.MAX_SAFE_INTEGER)) {
    throw new ServeError(
      'invalid_input',
      `shape ${formatShape(shape)} for ${where} causes total element count to exceed maximum size of ${Number.MAX_SAFE_INTEGER}: found ${wholeText(elements)}`,
    );
  }
  if (elements * elementBytes > Number.MAX_SAFE_INTEGER) {
    throw new ServeError(
      'invalid_input',
      `byte size overflow for ${where}: expected at most ${Number.MAX_SAFE_INTEGER} bytes, found ${elements} elements of ${elementBytes} bytes`,
    );
  }
  return shape;
}

function refuseSharedMemory(parameters: MessageParameters, where: string): void {
  if (parameters['shared_memory_region'] === undefined) return;
  throw new ServeError(
    'unsupported',
    `shared memory for ${where} is not served: expected data in the request, found 'shared_memory_region'`,
  );
}
