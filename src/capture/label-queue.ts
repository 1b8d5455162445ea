/**
 * The labels that are wanted, handed out to labellers: each one on a lease, so that two who ask get different ones. What is handed
 * out is no evidence by itself: a drawn pair counts when its label window ends, leased or not, so leases may be lost with the process.
 *
 * Those whose window ends first come first. No other order is needed: which pairs are drawn has been decided before.
 */
import type { Clock } from '../core/clock.ts';
import type { WantedLabel } from '../core/wanted-label.ts';

export type LabelQueueOptions = {
  /** Of a model, in any order. */
  readonly wanted: (model: string) => Iterable<WantedLabel>;
  /** A token by which the answer may be labelled. */
  readonly issueToken: (claims: {
    readonly model: string;
    readonly version: string;
    readonly requestId: string;
    readonly issuedMs: number;
  }) => string;
  readonly clock: Pick<Clock, 'wallMs'>;
};

export type LabelAsk = {
  readonly model: string;
  /** Who asks: a caller's name, or its address. */
  readonly by: string;
  /** How long no one else gets them, milliseconds; 0: others may. */
  readonly leaseMs: number;
  /** At most so many. */
  readonly limit: number;
};

/** A label that is wanted, as a labeller gets it. It does not say what the versions answered, so that no labeller goes by that. */
export type LeasedLabel = {
  readonly token: string;
  /** Our own id of the request, as its answer's trace and the access log have it. */
  readonly requestId: string;
  /** ISO 8601. */
  readonly askedAt: string;
  readonly until: string;
  readonly leasedUntil: string | undefined;
  readonly slices: readonly string[];
};

export type WantedLabels = {
  /** All that are wanted of the model, leased ones as well. */
  readonly wanted: number;
  /** Those of them that are on a lease. */
  readonly leased: number;
  /** How many each labeller has. */
  readonly leasedBy: Readonly<Record<string, number>>;
  readonly labels: readonly LeasedLabel[];
};

type Lease = { readonly by: string; readonly untilMs: number };

/** Leases at one time; beyond, labels are handed out without. */
const LEASES_MAX = 10_000;

export class LabelQueue {
  readonly #options: LabelQueueOptions;
  /** By model and request. */
  readonly #leases = new Map<string, Lease>();

  constructor(options: LabelQueueOptions) {
    this.#options = options;
  }

  /** Hands out labels that are on no lease. */
  next(asked: LabelAsk): WantedLabels {
    const { model, limit } = asked;
    const { clock, wanted } = this.#options;
    const nowMs = clock.wallMs();
    for (const [key, { untilMs }] of this.#leases) if (untilMs <= nowMs) this.#leases.delete(key);
    const all = [...wanted(model)].sort((a, b) => a.untilMs - b.untilMs);
    const free: WantedLabel[] = [];
    const leasedBy = new Map<string, number>();
    for (const each of all) {
      const lease = this.#leases.get(keyOf(model, each.requestId));
      if (lease === undefined) free.push(each);
      else leasedBy.set(lease.by, (leasedBy.get(lease.by) ?? 0) + 1);
    }
    const labels = free.slice(0, limit).map((each) => this.#handOut(each, asked, nowMs));
    return {
      wanted: all.length,
      leased: all.length - free.length,
      leasedBy: Object.fromEntries(leasedBy),
      labels,
    };
  }

  #handOut(label: WantedLabel, { model, by, leaseMs }: LabelAsk, nowMs: number): LeasedLabel {
    const { requestId, version, askedMs, untilMs, slices } = label;
    const isLeased = leaseMs > 0 && this.#leases.size < LEASES_MAX;
    const leasedMs = Math.min(untilMs, nowMs + leaseMs);
    if (isLeased) this.#leases.set(keyOf(model, requestId), { by, untilMs: leasedMs });
    const token = this.#options.issueToken({ model, version, requestId, issuedMs: askedMs });
    return {
      token,
      requestId,
      askedAt: new Date(askedMs).toISOString(),
      until: new Date(untilMs).toISOString(),
      leasedUntil: isLeased ? new Date(leasedMs).toISOString() : undefined,
      slices,
    };
  }
}

function keyOf(model: string, requestId: string): string {
  return `${model}\0${requestId}`;
}
