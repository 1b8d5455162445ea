import type { Margins, Step } from '../core/rollout.ts';

/** Everything that holds where nothing is written, with its unit and why it is what it is. Values are as in the file. */
export const DEFAULTS = {
  server: {
    /** Only this machine may connect until somebody decides otherwise. Port 8000 is what clients of the protocol expect. */
    http: '127.0.0.1:8000',
    grpc: '127.0.0.1:8001',
    admin: '127.0.0.1:8002',
    /** Any name leads here until somebody says which do: in front of many gateways stands something that has its own. */
    allowedHosts: [],
    /** Some old clients look for `triton` here. */
    name: 'understudy',
    /** Who can reach the data plane could otherwise replace what everybody else is served. */
    modelControl: 'none',
    /** Connections to each port; idle ones make room for new ones. Well below what systems let a process open. */
    connectionsMax: 4_096,
    /** A package that is broken takes no others away, which a load balancer would stop sending to. */
    readiness: 'routed',
  },
  repository: './models',
  ledger: './var/ledger',
  /** Beside the ledger by default, and unlike it free to be lost: what is not there is found again. */
  cache: './var/cache',
  limits: {
    /** The largest request body. 64 MiB is the limit of the servers that clients of the protocol know. */
    bodyMax: '64MiB',
    /** All bodies and answers in flight together: a quarter of the memory of the cgroup or the machine. */
    memoryMax: 'auto',
    /** Copies for the shadow hosts, of all models; one model gets half at most. More of them wait only where a shadow hangs. */
    mirrorMax: '128MiB',
    /** The largest header block: Node's own limit. */
    headersMax: '16KiB',
  },
  feedback: {
    /** How long an answer waits for its label. */
    ttl: '15m',
    /** Answers that wait at once; the oldest goes first. At about 1 KiB each this bounds the memory to some 20 MiB. */
    requestsMax: 20_000,
  },
  model: {
    batch: {
      /** Rows in one run. Beyond a few dozen a CPU gains little throughput and every row waits for all others. */
      rowsMax: 32,
      /** Milliseconds to wait for company. 0: a batch leaves as soon as a replica is free. */
      delayMs: 0,
    },
    queue: {
      /** Requests that wait for a replica; one more is refused at once, as it would only wait in vain. */
      requestsMax: 512,
      /** Bytes of tensors that wait: 4 bodies of the largest size. */
      bytesMax: '256MiB',
      /** Default deadline of a request, in milliseconds. */
      deadlineMs: 1_000,
      /** No request goes before another unless somebody decides how many levels there are. */
      priorityLevels: 0,
    },
    /** What the route leads to is loaded in any case; this adds nothing to it. */
    versions: { latest: 1 },
    execution: {
      providers: ['cpu'],
      /** A model that was to run on a device and silently runs elsewhere is worse than one that does not start. */
      strict: true,
      /** A crash in native code must not take the gateway down. */
      isolation: 'process',
      /** A run that takes longer than this is stuck; its process is ended. */
      runMax: '60s',
      /** A load that takes longer than this hangs. Gigabytes of weights from a slow disk take less. */
      loadMax: '120s',
    },
  },
  rollout: {
    /** The cautious claim: a change of weights has to be declared. */
    intent: 'equivalent',
    errorBudget: { falseRollback: 0.05, falsePromotion: 0.05 },
    onInconclusive: 'pause',
    maxDuration: '24h',
  },
} as const;

/**
 * How much worse is still acceptable.
 *
 * - `disagreement` 1 %: some 400 pairs prove an identical candidate.
 * - `pairedErrors` 0.5 points: what the live error margin accepts as well.
 * - `labelledLoss` 2 points: below that a few thousand labels prove nothing.
 * - `pairedLatency`: a run is slower when it takes a quarter and 0.1 ms more than the twin's; less is timer noise.
 * - `errors`, `slowRequests`: rare events double by chance, so a smaller ratio needs tens of thousands of requests; up to 0.5 %
 *   of errors, or twice the 1 % that the quantile leaves above itself, is accepted regardless of the ratio.
 */
export const DEFAULT_MARGINS: Margins = {
  disagreement: 0.01,
  pairedErrors: 0.005,
  labelledLoss: 0.02,
  pairedLatency: { ratio: 1.25, floorMs: 0.1 },
  errors: { ratio: 2, absolute: 0.005 },
  slowRequests: { ratio: 2, quantile: 0.99, absolute: 0.02 },
};

/**
 * From shadow to promoted: all traffic is mirrored and a fifth of the pairs twinned; what the intent claims must be proven in
 * shadow before anybody is exposed; then three growing shares, the first against a control of the same weight, and what
 * only live traffic shows must be proven before promotion.
 */
export function defaultSteps(intent: 'equivalent' | 'improve'): readonly Step[] {
  const claim = intent === 'improve' ? 'labelledLoss' : 'disagreement';
  return [
    { kind: 'setMirror', percentage: 100, twin: 20 },
    { kind: 'analysis', require: [claim, 'pairedErrors'], reject: ['pairedLatency'] },
    { kind: 'setWeight', percent: 5, control: true },
    { kind: 'setWeight', percent: 25, control: false },
    { kind: 'setWeight', percent: 50, control: false },
    { kind: 'analysis', require: ['errors', 'slowRequests'], reject: [] },
    { kind: 'promote' },
  ];
}
