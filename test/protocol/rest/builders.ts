import { systemClock } from '../../../src/core/clock.ts';
import { Intake } from '../../../src/protocol/intake.ts';
import { MemoryBudget } from '../../../src/protocol/memory-budget.ts';
import type { RestLimits } from '../../../src/protocol/rest/limits.ts';
import { createRestServer, type RestServerOptions } from '../../../src/protocol/rest/server.ts';
import type { Service } from '../../../src/protocol/service.ts';
import { aService } from '../builders.ts';

export const LIMITS: RestLimits = {
  connectionsMax: 10_000,
  bodyBytesMax: 100_000,
  headerBytesMax: 8_192,
  tensorsMax: 4,
  jsonDepthMax: 100,
  jsonElementsMax: 10_000,
  receiveMsMax: 10_000,
  sendMsMax: 10_000,
  lingerMsMax: 10_000,
};

export type ServerParts = Partial<Omit<RestServerOptions, 'service'>> & Partial<Service>;

/** Of a request without a limit. */
export const anyShare = () => new MemoryBudget(Number.MAX_SAFE_INTEGER).open();

/** A server whose model `m` gives back two numbers a row. */
export function aServer({ feedback, limits, allowedHosts, budget, ...service }: ServerParts = {}) {
  return createRestServer({
    service: aService(service),
    feedback: feedback ?? (() => 'joined'),
    limits: limits ?? LIMITS,
    allowedHosts: allowedHosts ?? [],
    budget: budget ?? new MemoryBudget(100_000_000),
    intake: new Intake(systemClock),
  });
}

/** Parts of a request's JSON: by default one input `x` of one row. */
export function anInput(parts: Readonly<Record<string, unknown>> = {}) {
  return { name: 'x', shape: [1, 2], datatype: 'FP32', data: [1.5, -2], ...parts };
}

export type Call = {
  readonly method: 'POST';
  readonly url: string;
  readonly payload: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
};

export function inferCall(body: unknown, headers: Readonly<Record<string, string>> = {}): Call {
  const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return { method: 'POST', url: '/v2/models/m/infer', payload, headers };
}

/** A call of the binary tensor extension: the head as JSON and the tensors behind it. */
export function binaryCall(
  head: unknown,
  tensors: Buffer,
  headers: Readonly<Record<string, string>> = {},
): Call {
  const json = Buffer.from(JSON.stringify(head));
  return inferCall(Buffer.concat([json, tensors]), {
    'inference-header-content-length': String(json.byteLength),
    ...headers,
  });
}

export function binaryInput(bytes: number) {
  const { data: _, ...input } = anInput();
  return { ...input, parameters: { binary_data_size: bytes } };
}

export function floats(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes;
}
