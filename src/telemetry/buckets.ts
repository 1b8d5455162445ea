/** Upper edges in seconds: a tiny model's run to a generous deadline, about two and a half times apart. */
export const LATENCY_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Upper edges of batch sizes: powers of two. */
export const SIZE_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
