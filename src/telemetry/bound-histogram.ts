import {
  Histogram,
  type HistogramConfiguration,
  type MetricObjectWithValues,
  type MetricValueWithName,
} from 'prom-client';
import type { RegistryValue } from './registry-metric.ts';

/** Where to look for the trace of one observation. */
export type Exemplar = {
  readonly traceId: string;
  readonly spanId: string;
  /** Milliseconds of the wall clock. */
  readonly atMs: number;
};

/** One labelled row of a histogram. The last exemplar of each bucket is kept. */
export type Series = { readonly observe: (value: number, exemplar?: Exemplar) => void };

type Row<Label extends string> = {
  readonly labels: Readonly<Record<Label, string>>;
  /** Observations per bucket, the last beyond all edges. */
  readonly counts: Float64Array;
  sum: number;
  /** By bucket; made with the first one. */
  exemplars: (PrintedExemplar | undefined)[] | undefined;
};

type PrintedExemplar = NonNullable<RegistryValue['exemplar']>;

/**
 * A histogram whose rows are looked up once and then only added to: an observation finds its bucket and adds twice. The
 * original checks and hashes the labels of every observation, which for three clocks of every request costs more than the
 * gateway's own bookkeeping. Rows are cumulated on collection.
 */
export class BoundHistogram<Label extends string> extends Histogram<Label> {
  readonly #name: string;
  readonly #help: string;
  readonly #edges: readonly number[];
  readonly #rows: Row<Label>[] = [];

  constructor(configuration: HistogramConfiguration<Label> & { readonly buckets: number[] }) {
    super(configuration);
    this.#name = configuration.name;
    this.#help = configuration.help;
    this.#edges = configuration.buckets;
  }

  /** A new row. Ask once for each set of labels. */
  series(labels: Readonly<Record<Label, string>>): Series {
    const edges = this.#edges;
    const row: Row<Label> = {
      labels,
      counts: new Float64Array(edges.length + 1),
      sum: 0,
      exemplars: undefined,
    };
    this.#rows.push(row);
    const { counts } = row;
    return {
      observe: (value, exemplar) => {
        let bucket = 0;
        while (bucket < edges.length && value > (edges[bucket] ?? 0)) bucket += 1;
        counts[bucket] = (counts[bucket] ?? 0) + 1;
        row.sum += value;
        if (exemplar === undefined) return;
        row.exemplars ??= [];
        row.exemplars[bucket] = printed(value, exemplar);
      },
    };
  }

  /** What the registry prints; prom-client calls it under this name, which its types leave out. */
  getForPromString() {
    return this.get();
  }

  override async get(): Promise<MetricObjectWithValues<MetricValueWithName<Label>>> {
    const values = this.#rows.flatMap((row) => this.#valuesOf(row));
    const printed = { name: this.#name, help: this.#help, type: 'histogram', aggregator: 'sum' };
    // The library's types have a number in place of the word, and a function that its code does not ask for.
    return { ...printed, values } as unknown as MetricObjectWithValues<MetricValueWithName<Label>>;
  }

  #valuesOf({ labels, counts, sum, exemplars }: Row<Label>) {
    const name = this.#name;
    let total = 0;
    const buckets = [...counts].map((count, index) => {
      total += count;
      const le = this.#edges[index] ?? '+Inf';
      const exemplar = exemplars?.[index];
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: total, exemplar };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: total },
    ];
  }
}

function printed(value: number, { traceId, spanId, atMs }: Exemplar): PrintedExemplar {
  return { labelSet: { trace_id: traceId, span_id: spanId }, value, timestamp: atMs / 1_000 };
}
