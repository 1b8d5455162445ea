import type { GrpcWire } from './wire/grpc.ts';
import type { HttpWire } from './wire/http.ts';
import type { Infer, InferWire } from './wire/infer-call.ts';
import type { KitTensor } from './wire/tensor.ts';

/** How a case reaches the server: an inference over one of four, or something particular to HTTP or gRPC. */
export type Wire = InferWire | 'http' | 'grpc';

/**
 * `required`: the protocol's text demands it. `recommended`: clients rely on it, or the text can hardly be read otherwise.
 * `extension`: an optional part of the protocol or a widely served extension; not counted against a server that does not
 * advertise it.
 */
export type Level = 'required' | 'recommended' | 'extension';

export const SECTIONS = [
  'core',
  'inference',
  'binary',
  'errors',
  'parameters',
  'compression',
  'classification',
  'configuration',
  'statistics',
  'repository',
  'streaming',
  'health',
  'settings',
  'shared memory',
  'onnx',
] as const;

export type Section = (typeof SECTIONS)[number];

export type Finding =
  | { readonly kind: 'pass'; readonly note?: string; readonly outputs?: readonly KitTensor[] }
  | {
      readonly kind: 'fail';
      readonly request: string;
      readonly expected: string;
      readonly found: string;
    }
  | { readonly kind: 'skip'; readonly why: string };

/** What a case works with. Asking for a wire that the run does not have throws: cases name their wires beforehand. */
export type Bench = {
  readonly http: HttpWire;
  readonly grpc: GrpcWire;
  readonly infer: Readonly<Record<InferWire, Infer>>;
  /** Whether the server says that it serves this extension. */
  readonly advertises: (extension: string) => boolean;
};

export type Case = {
  /** Unique, with dots: `errors.unknown-model`. */
  readonly id: string;
  readonly section: Section;
  readonly level: Level;
  /** What must hold, in one sentence. */
  readonly claim: string;
  /** Where it is written. */
  readonly reference: string;
  /** Models of the kit that it needs. */
  readonly models: readonly string[];
  /** Skipped where the server does not advertise this extension. */
  readonly extension?: string;
  readonly wires: readonly Wire[];
  readonly run: (bench: Bench, wire: Wire) => Promise<Finding>;
};

export function pass(note?: string): Finding {
  return note === undefined ? { kind: 'pass' } : { kind: 'pass', note };
}

export function fail(facts: { request: string; expected: string; found: string }): Finding {
  return { kind: 'fail', ...facts };
}

export function skip(why: string): Finding {
  return { kind: 'skip', why };
}

/** Pass where nothing is wrong, else a failure that names what is. */
export function judged(
  request: string,
  problem: { readonly expected: string; readonly found: string } | undefined,
): Finding {
  return problem ? fail({ request, ...problem }) : pass();
}
