import { DEFAULT_UNIT, type Margins, type Step } from '../core/rollout.ts';

/** The defaults of all keys, with their units and reasons. Values are as in the file. */
export const DEFAULTS = {
  server: {
    /** Loopback only, unless configured. Port 8000 is what clients of the protocol expect. */
    http: '127.0.0.1:8000',
    grpc: '127.0.0.1:8001',
    admin: '127.0.0.1:8002',
    /** Host names that clients may call by; empty: any, since many gateways run behind a proxy. As Django's ALLOWED_HOSTS. */
    allowedHosts: [],
    /** Server name in the metadata. Some old clients look for `triton`. */
    name: 'understudy',
    /** Whether clients may load models: with `explicit`, any of them can replace the models of all others. Triton's --model-control-mode. */
    modelControl: 'none',
    /** Max connections per port; idle ones make room for new ones. Below the usual limit of open files. nginx's worker_connections. */
    connectionsMax: 4_096,
    /** With `routed` a broken package does not make the server unready. Triton's --strict-readiness, where `strict`. */
    readiness: 'routed',
    tls: {
      /** Who names authorities of client certificates expects one of every client. nginx's ssl_verify_client. */
      clients: 'require',
      /** 1.0 and 1.1 are not safe (RFC 8996). nginx's ssl_protocols. */
      minVersion: 'TLSv1.2',
      ports: ['http', 'grpc', 'admin', 'metrics'],
    },
  },
  auth: {
    keys: './var/keys',
    tokens: {
      name: 'sub',
      roles: 'roles',
      /** With one issuer its names are the names. */
      prefix: '',
    },
    /** Callers without credentials may do nothing, once there is a section. */
    anonymous: [],
    grants: [],
  },
  repository: './models',
  ledger: './var/ledger',
  /** Results of probes; if it is lost, models are probed again. */
  cache: './var/cache',
  limits: {
    /** Max request body. 64 MiB is the limit of other servers of the protocol. nginx's client_max_body_size. */
    bodyMax: '64MiB',
    /** Max bytes of all bodies and answers in flight: a quarter of the memory of the cgroup or the machine. */
    memoryMax: 'auto',
    /** Copies for the shadow hosts, of all models; one model gets half at most. More of them wait only where a shadow hangs. */
    mirrorMax: '128MiB',
    /** Max header block: Node's --max-http-header-size; GRPC_ARG_MAX_METADATA_SIZE in gRPC. */
    headersMax: '16KiB',
  },
  telemetry: {
    /** Beside our own they lengthen each scrape, and only dashboards and autoscalers made for Triton read them. */
    tritonMetrics: false,
    accessLog: {
      /** All requests. */
      sample: 1,
    },
    otlp: {
      /** OTEL_EXPORTER_OTLP_PROTOCOL. */
      protocol: 'http/protobuf',
      signals: ['traces', 'metrics', 'logs'],
      /** The caller's decision, else all. OTEL_TRACES_SAMPLER. */
      sampler: 'parentbased_always_on',
      /** OTEL_TRACES_SAMPLER_ARG. */
      samplerArg: 1,
      /** Baggage is the callers' own and may be private: none of it is recorded unless it is named. */
      baggage: [],
      /** OTEL_METRIC_EXPORT_INTERVAL. */
      metricInterval: '60s',
    },
  },
  /** Any number of requests of any caller; queues and memory have limits of their own. nginx's limit_req and limit_conn. */
  quotas: [],
  /** Of each entry of `webhooks`. */
  webhook: {
    type: 'event',
    format: 'understudy',
    /** Max time of one request, answer included. Flagger's webhook timeout is 10 s. */
    timeout: '5s',
    /** Of that, for name, connection and TLS. */
    connectTimeout: '2s',
    /** Again after about 1, 2, 4, 8 and 16 s: a restart of the receiver loses nothing. */
    retries: 5,
    /** Between two questions of a hook that answers. Flagger's analysis interval is usually as long or longer. */
    every: '10s',
  },
  model: {
    batch: {
      /** Max rows of one run. Beyond a few dozen a CPU gains little throughput, and latency grows. Triton's max_batch_size. */
      rowsMax: 32,
      /** Max wait of a batch for more requests (ms). 0: it starts when a replica is free. Triton's max_queue_delay_microseconds. */
      delayMs: 0,
    },
    queue: {
      /** Max requests in the queue; beyond, they are refused. Triton's max_queue_size. */
      requestsMax: 512,
      /** Max tensor bytes in the queue: 4 bodies of the largest size. */
      bytesMax: '256MiB',
      /** Default request deadline (ms). Triton's default_timeout_microseconds, but the run counts too. */
      deadlineMs: 1_000,
      /** Number of request priorities; 0: none. Triton's priority_levels. */
      priorityLevels: 0,
    },
    route: {
      /** Who could choose a version would choose what a rollout is judged by. Without authentication anyone may. */
      pin: 'operate',
    },
    labels: {
      /** Labels that come unasked are no random sample unless the operator says so: then they can only reject. */
      selection: 'arrival',
      /** Probability with which a pair is drawn whose answers differ fully: every one. */
      queue: { probability: 1 },
      /** Who has an answer's token may label it. */
      from: 'any',
      /** Max labels of one address a second: far beyond what a client has answers for. nginx's limit_req rate. */
      callerPerSecond: 1_000,
      /** Max labels of one address in one rollout. */
      callerMax: 1_000_000,
      /** Max memory of requests whose label window has not ended; beyond, the oldest is dropped. Some 120,000 requests. */
      storeMax: '64MiB',
    },
    examples: {
      /** Enough to see what differs; what clients send is kept only where the operator says so. */
      keep: 'scores',
      /** Max bytes of one model's kept examples on disk; beyond, those of the oldest rollouts go first. */
      maxBytes: '64MiB',
      /** Max time that an example is kept. */
      maxAge: '7d',
      /** Inputs whose values are never kept: none. */
      redact: [],
    },
    /** Versions to load in addition to those of the route: none. Triton's version_policy. */
    versions: { latest: 1 },
    execution: {
      providers: ['cpu'],
      /** A model that was to run on a device and silently runs elsewhere is worse than one that does not start. */
      strict: true,
      /** A crash in native code must not take the gateway down. */
      isolation: 'process',
      /** Max time of a run; beyond, its process is killed. TorchServe's responseTimeout. */
      runMax: '60s',
      /** Max time of a load. Gigabytes of weights from a slow disk take less. TorchServe's startupTimeout. */
      loadMax: '120s',
    },
  },
  rollout: {
    /** The cautious default: a change of answers has to be declared. */
    intent: 'equivalent',
    /** Most changes are not meant to show in the labels; a new model that is to be better has to say so. */
    claim: 'noWorse',
    /** Labels are what a proof costs, and a copy of a pair costs a run that no client waits for: all pairs count against the anchor. */
    anchor: { share: 100 },
    /** One value of evidence comes from so many of a unit's first requests, within so long of its first. */
    unit: { requests: DEFAULT_UNIT.requests, window: `${DEFAULT_UNIT.windowMs / 1_000}s` },
    errorBudget: { falseRollback: 0.05, falsePromotion: 0.05 },
    /** Least requests of the candidate at each share: none. A share grows on what it has shown, not on a count. */
    minRequests: 0,
    /** Least time at each share: what a cache, a connection pool or a memory leak does in its first two minutes. Argo's pause. */
    minDuration: '2m',
    onInconclusive: 'pause',
    maxDuration: '24h',
  },
} as const;

/**
 * How much worse is still acceptable.
 *
 * - `disagreement` 1 %: some 400 pairs prove an identical candidate.
 * - `pairedErrors`: as `errors`. In shadow some 2,000 pairs without a failure show it.
 * - `labelledLoss` 2 points: below that a few thousand labels prove nothing.
 * - `pairedLatency`: a run is slower when it takes a quarter and 0.1 ms more than the twin's; less is timer noise.
 * - `errors`, `slowRequests`: rare events double by chance, so a smaller ratio needs tens of thousands of requests. 0.2 % of
 *   errors beyond the ratio are what some 4,000 requests without any can show; twice the 1 % that the quantile leaves above
 *   itself is accepted of slow requests regardless of the ratio.
 */
export const DEFAULT_MARGINS: Margins = {
  disagreement: 0.01,
  pairedErrors: { ratio: 2, absolute: 0.002 },
  labelledLoss: 0.02,
  pairedLatency: { ratio: 1.25, floorMs: 0.1, blockMs: 10_000 },
  errors: { ratio: 2, absolute: 0.002 },
  slowRequests: { ratio: 2, quantile: 0.99, absolute: 0.002, blockMs: 5_000 },
};

/**
 * From shadow to promotion: all traffic is mirrored and a fifth of the pairs twinned. The intent must be proven in shadow before
 * any live exposure. Then come three growing weights, each against a reference of the same weight, and metrics of live
 * traffic must be proven before promotion.
 */
export function defaultSteps(intent: 'equivalent' | 'improve'): readonly Step[] {
  const proof = intent === 'improve' ? 'labelledLoss' : 'disagreement';
  return [
    { kind: 'setMirror', percentage: 100, twin: 20 },
    { kind: 'analysis', require: [proof, 'pairedErrors'], reject: ['pairedLatency'] },
    { kind: 'setWeight', percent: 5, control: true },
    { kind: 'setWeight', percent: 25, control: true },
    { kind: 'setWeight', percent: 50, control: true },
    {
      kind: 'analysis',
      require: ['errors', 'slowRequests'],
      reject: intent === 'improve' ? ['liveLoss'] : [],
    },
    { kind: 'promote' },
  ];
}
