/** One value of a metric of the registry. */
export type RegistryValue = {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  /** Of a histogram: the name with `_bucket`, `_sum` or `_count` behind it. */
  readonly metricName?: string;
  /** One of the observations: where to look for its trace. Timestamp in seconds. The library's own histograms have null. */
  readonly exemplar?:
    | {
        readonly labelSet: Readonly<Record<string, string | number | undefined>>;
        readonly value: number;
        readonly timestamp: number;
      }
    | null
    | undefined;
};

/** A metric of the registry with its values. */
export type RegistryMetric = {
  readonly name: string;
  readonly help: string;
  /** counter, gauge, histogram or summary. */
  readonly type: string;
  readonly values: readonly RegistryValue[];
};
