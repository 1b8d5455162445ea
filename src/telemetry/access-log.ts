import type { Clock } from '../core/clock.ts';
import type { Exchange, ExchangeEnd, Exchanges } from '../core/exchange.ts';
import { GRPC_STATUS_NAMES } from '../core/grpc-status-names.ts';
import type { Outcome, Tap } from '../core/outcome.ts';
import type { Random } from '../core/random.ts';
import { idsOf } from '../core/traceparent.ts';

export type AccessLogOptions = {
  readonly clock: Clock;
  readonly random: Pick<Random, 'unit'>;
  /** The share of the requests that is logged, 0 to 1. */
  readonly sample: number;
  /** Takes a line with its end. Must not throw, and must not wait. */
  readonly write: (line: string) => void;
};

/** What becomes known of a request for inference on its way. */
type Found = {
  id?: string;
  model?: string;
  arm?: string;
  version?: string;
  caller?: string | undefined;
  code?: string;
  queueMs?: number;
  computeMs?: number;
};

/** On the wire's own object: a WeakMap of all requests costs the garbage collector more than the whole line. */
const FOUND = Symbol('found');

type Wire = { [FOUND]?: Found };

/** What JSON leaves as it is and a terminal may obey, or an eye not see: control and format characters, and line ends. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Characters of what callers choose freely. */
const TEXT_MAX = 256;

/**
 * One line of JSON for each request, once it is over. Keys are those of OpenTelemetry's semantic conventions, and those of our spans
 * where these have none.
 */
export class AccessLog implements Exchanges {
  readonly #options: AccessLogOptions;
  /** By our id: requests for inference under way. */
  readonly #open = new Map<string, Found>();

  constructor(options: AccessLogOptions) {
    this.#options = options;
  }

  readonly begin = (exchange: Exchange, wire: object): ((end: ExchangeEnd) => void) | undefined => {
    const { sample, random, write, clock } = this.#options;
    if (sample < 1 && random.unit() >= sample) return undefined;
    const found: Found = {};
    (wire as Wire)[FOUND] = found;
    return (end) => {
      if (found.id !== undefined) this.#open.delete(found.id);
      const atMs = clock.wallMs();
      const totalMs = clock.monotonicMs() - exchange.startedMs;
      const line = JSON.stringify(lineOf(exchange, { ...end, found, atMs, totalMs }));
      write(`${line.replace(UNPRINTABLE, escapeOf)}\n`);
    };
  };

  readonly named: Exchanges['named'] = (wire, { id, model }) => {
    const found = (wire as Wire)[FOUND];
    if (found === undefined) return;
    // Of a stream's requests the last counts.
    if (found.id !== undefined) this.#open.delete(found.id);
    found.id = id;
    found.model = model;
    this.#open.set(id, found);
  };

  readonly joined: Exchanges['joined'] = (wire, part) => {
    const found = (wire as Wire)[FOUND];
    if (found !== undefined) (part as Wire)[FOUND] = found;
  };

  /** For the gateway: where requests were assigned, and how they ended there. */
  readonly tap: Tap = ({ id, caller }, { arm, version }) => {
    const found = this.#open.get(id);
    if (found === undefined) return undefined;
    Object.assign(found, { caller, arm, version });
    return (outcome) => note(found, outcome);
  };
}

function note(found: Found, outcome: Outcome): void {
  if (outcome.kind === 'failure') {
    found.code = outcome.code;
    return;
  }
  const { queueMs, computeMs } = outcome.response.timing;
  Object.assign(found, { version: outcome.response.version, queueMs, computeMs });
}

type Ended = ExchangeEnd & {
  readonly found: Found;
  readonly atMs: number;
  readonly totalMs: number;
};

/** Keys without a value are left out. */
function lineOf(exchange: Exchange, { found, ...end }: Ended) {
  const { plane, peer, traceparent } = exchange;
  return {
    timestamp: new Date(end.atMs).toISOString(),
    'understudy.plane': plane,
    ...(plane === 'grpc' ? rpcOf(exchange, end) : httpOf(exchange, end)),
    'error.type': found.code,
    'model.name': text(found.model ?? end.model),
    'model.version': text(end.version ?? found.version),
    'understudy.arm': found.arm,
    'understudy.duration_ms': rounded(end.totalMs),
    'understudy.queue_ms': rounded(found.queueMs),
    'understudy.compute_ms': rounded(found.computeMs),
    'understudy.request.id': found.id,
    'http.request.header.x-request-id': exchange.callerId,
    trace_id: traceparent && idsOf(traceparent).traceId,
    'enduser.id': text(end.caller ?? found.caller),
    'client.address': peer.address,
    'client.port': peer.port,
    'user_agent.original': text(exchange.userAgent),
  };
}

function httpOf({ method, path, bytesIn }: Exchange, { route, status, bytesOut }: ExchangeEnd) {
  return {
    'http.request.method': method,
    'http.route': route,
    'url.path': text(path),
    // As nginx has it for a caller that is gone.
    'http.response.status_code': status ?? CALLER_GONE,
    'http.request.body.size': bytesIn,
    'http.response.body.size': bytesOut,
  };
}

const CALLER_GONE = 499;

function rpcOf({ path }: Exchange, { status }: ExchangeEnd) {
  const code = status === undefined ? 'CANCELLED' : (GRPC_STATUS_NAMES[status] ?? String(status));
  return {
    'rpc.system.name': 'grpc',
    'rpc.method': text(path.replace(/^\//, '')),
    'rpc.status_code': code,
  };
}

/** The same in JSON; beyond the first 65,536 characters it knows only pairs. */
function escapeOf(found: string): string {
  const units = Array.from({ length: found.length }, (_, at) => found.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

function text(value: string | undefined): string | undefined {
  return value?.slice(0, TEXT_MAX);
}

function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 1_000) / 1_000;
}
