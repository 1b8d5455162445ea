import type { IncomingHttpHeaders } from 'node:http';
import type { TimeSlicer } from '../../concurrency/time-slicer.ts';
import type { Caller } from '../../core/caller.ts';
import { ServeError } from '../../core/errors.ts';
import type { InferRequest } from '../../core/infer.ts';
import type { Signature, Tensor } from '../../core/tensor.ts';
import type { ClassCounts } from '../classify.ts';
import type { MemoryShare } from '../memory-budget.ts';
import { readParameters } from '../parameters.ts';
import { type HeaderOf, type RoutingSettings, routingKeyOf } from '../routing-key.ts';
import { sentIdOf } from '../sent-id.ts';
import { BinaryPart, decodeRaw, HEADER_LENGTH, headerLengthOf } from './decode-binary.ts';
import { decodeJsonTensor } from './decode-json.ts';
import { readJsonHead } from './json-head.ts';
import type { KnownHeads } from './known-heads.ts';
import type { RestLimits } from './limits.ts';
import { parseRequestHead, type RequestHead } from './request-head.ts';

/** One call of an infer route, as HTTP brought it. */
export type InferCall = {
  readonly model: string;
  readonly version: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Our id for the request. */
  readonly requestId: string;
  /** The span that the request is part of from here on. */
  readonly traceparent: string | undefined;
  /** The caller's id of it. */
  readonly callerId: string | undefined;
  /** When it came, on the monotonic clock. */
  readonly startedMs: number;
  /** Undefined: authentication is off. */
  readonly caller?: Caller | undefined;
};

export type DecodeContext = {
  readonly routing: RoutingSettings;
  readonly limits: RestLimits;
  readonly slicer: TimeSlicer;
  /** The request's share of memory: tensors that are read from JSON count in addition to the body. */
  readonly share: Pick<MemoryShare, 'take'>;
  /** Read under the same limits. */
  readonly heads: KnownHeads;
  /** The model's signature; asked for only by raw requests. */
  readonly signature: () => Signature;
};

/** How the caller wants each output. */
export type Wanted = {
  /** The request's own id, to be echoed. */
  readonly id: string | undefined;
  /** For outputs that say nothing themselves. */
  readonly binary: boolean;
  readonly binaryByOutput: ReadonlyMap<string, boolean>;
  /** Outputs in whose place classes are wanted. */
  readonly classes: ClassCounts;
};

export type Decoded = { readonly request: InferRequest; readonly wanted: Wanted };

/** The header by which a caller bounds its wait, in milliseconds; `timeout` of the protocol is in microseconds. */
const TIMEOUT_HEADER = 'x-request-timeout-ms';

/** A call whose JSON has been read, and not its tensors yet. */
export type OpenedCall = {
  /** The request's own id. */
  readonly id: string | undefined;
  /** Throws ServeError, without the request's id in front. */
  readonly decode: () => Promise<Decoded>;
};

/**
 * From HTTP to an InferRequest, in two steps, so that an error after the first can carry the request's id.
 * Tensors in binary are views of the body; those in JSON are read into new bytes.
 * @throws ServeError saying what was expected and what was found.
 */
export async function openInfer(call: InferCall, context: DecodeContext): Promise<OpenedCall> {
  const { body } = call;
  const headBytes = headerLengthOf(call.headers[HEADER_LENGTH], body.byteLength);
  if (headBytes === 0) return { id: undefined, decode: async () => decodeRawCall(call, context) };
  const json = headBytes === undefined ? body : body.subarray(0, headBytes);
  const head = context.heads.find(json) ?? (await readHead(json, context));
  return { id: head.id, decode: () => decodeTensors(call, { json, head }, context) };
}

type Opened = { readonly json: Buffer; readonly head: RequestHead };

async function decodeTensors(
  call: InferCall,
  { json, head }: Opened,
  context: DecodeContext,
): Promise<Decoded> {
  const binary = new BinaryPart(call.body.subarray(json.byteLength));
  const inputs: Tensor[] = [];
  for (const input of head.inputs) {
    const { name, dtype, shape, place } = input;
    const data =
      place.kind === 'binary'
        ? binary.take(name, place.sizeBytes)
        : await decodeJsonTensor({ json, range: place.range, name, dtype, shape }, context);
    inputs.push({ name, dtype, shape, data });
  }
  binary.end(call.model);
  return { request: requestOf(call, { head, inputs }, context), wanted: wantedOf(head) };
}

async function readHead(
  json: Buffer,
  { heads, limits, slicer }: DecodeContext,
): Promise<RequestHead> {
  const head = parseRequestHead(await readJsonHead(json, limits, slicer), limits);
  heads.keep(json, head);
  return head;
}

/** Raw requests have no JSON, and get all outputs in binary. */
function decodeRawCall(call: InferCall, context: DecodeContext): Decoded {
  const inputs = [decodeRaw(call.model, context.signature(), call.body)];
  return {
    request: requestOf(call, { head: EMPTY_HEAD, inputs }, context),
    wanted: { id: undefined, binary: true, binaryByOutput: NONE_SAID, classes: NO_CLASSES },
  };
}

type Content = { readonly head: RequestHead; readonly inputs: readonly Tensor[] };

function requestOf(
  call: InferCall,
  { head, inputs }: Content,
  { routing }: DecodeContext,
): InferRequest {
  const { headers, requestId, traceparent, callerId, startedMs, caller } = call;
  const { sequenceId, priority, timeoutMs } = head.parameters;
  const header = headersOf(headers);
  const { unit, attributes } = routingKeyOf(routing, {
    header,
    sequenceId,
    requestId,
  });
  return {
    id: requestId,
    traceparent,
    callerId,
    sentId: sentIdOf(head.id),
    caller: caller?.name,
    grants: caller?.grants,
    pinRole: routing.pin,
    model: call.model,
    version: call.version,
    unit,
    inSequence: sequenceId !== undefined,
    attributes,
    priority,
    inputs,
    outputs: head.outputs?.map((output) => output.name),
    deadlineMs: startedMs + Math.min(routing.deadlineMs, timeoutMs ?? Infinity, headerMs(headers)),
  };
}

const EMPTY_HEAD: RequestHead = {
  id: undefined,
  parameters: readParameters({}, 'http'),
  inputs: [],
  outputs: undefined,
};

const NONE_SAID: ReadonlyMap<string, boolean> = new Map();
const NO_CLASSES: ClassCounts = new Map();

function wantedOf({ id, parameters, outputs }: RequestHead): Wanted {
  const binary = parameters.binaryDataOutput;
  if (outputs === undefined) {
    return { id, binary, binaryByOutput: NONE_SAID, classes: NO_CLASSES };
  }
  const binaryByOutput = new Map<string, boolean>();
  const classes = new Map<string, number>();
  for (const output of outputs) {
    if (output.binary !== undefined) binaryByOutput.set(output.name, output.binary);
    if (output.classes !== undefined) classes.set(output.name, output.classes);
  }
  return { id, binary, binaryByOutput, classes };
}

/** Values of a header that came more than once are joined, as HTTP means them. */
export function headersOf(headers: IncomingHttpHeaders): HeaderOf {
  return (name) => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
}

function headerMs(headers: IncomingHttpHeaders): number {
  const text = headers[TIMEOUT_HEADER];
  if (text === undefined) return Infinity;
  const ms = /^\d{1,12}(\.\d{1,6})?$/.test(String(text)) ? Number(text) : 0;
  if (ms > 0) return ms;
  throw new ServeError(
    'invalid_input',
    `unexpected header ${TIMEOUT_HEADER}: expected a positive number of milliseconds, found '${String(text).slice(0, 40)}'`,
  );
}
