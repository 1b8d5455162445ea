import type { KitTensor } from './tensor.ts';

export type Parameter = string | boolean | bigint;
export type Parameters = Readonly<Record<string, Parameter>>;

/** An inference as all wires can carry it. */
export type InferCall = {
  readonly model: string;
  readonly version?: string;
  readonly id?: string;
  readonly parameters?: Parameters;
  readonly inputs: readonly KitTensor[];
  readonly outputs?: readonly { readonly name: string; readonly parameters?: Parameters }[];
};

export type InferAnswer = {
  readonly model: string;
  readonly version: string;
  readonly id: string;
  readonly outputs: readonly KitTensor[];
};

/** What came back. `broken`: an answer that contradicts the protocol itself. */
export type Reply =
  | { readonly kind: 'answer'; readonly answer: InferAnswer }
  | { readonly kind: 'refusal'; readonly status: string; readonly message: string }
  | { readonly kind: 'broken'; readonly what: string };

/** How an inference travels. */
export type InferWire = 'rest-json' | 'rest-binary' | 'grpc-raw' | 'grpc-typed';

export const INFER_WIRES: readonly InferWire[] = [
  'rest-json',
  'rest-binary',
  'grpc-raw',
  'grpc-typed',
];

/** Sends one inference over one wire. Rejects only without an answer. */
export type Infer = (call: InferCall) => Promise<Reply>;

/** A reply in one readable line. */
export function describeReply(reply: Reply): string {
  if (reply.kind === 'broken') return `broken answer: ${reply.what}`;
  if (reply.kind === 'refusal') return `${reply.status} ${JSON.stringify(reply.message)}`;
  const outputs = reply.answer.outputs.map(
    ({ name, datatype, shape }) => `${name} ${datatype}[${shape}]`,
  );
  return `an answer with ${outputs.join(', ') || 'no outputs'}`;
}

/** A call in one readable line. */
export function describeCall(call: InferCall): string {
  const version = call.version === undefined ? '' : ` version ${call.version}`;
  const inputs = call.inputs.map(
    ({ name, datatype, shape, bytes }) => `${name} ${datatype}[${shape}] ${bytes.length} bytes`,
  );
  const outputs = call.outputs ? ` -> ${call.outputs.map(({ name }) => name).join(', ')}` : '';
  return `infer ${call.model}${version}: ${inputs.join('; ') || 'no inputs'}${outputs}`;
}
