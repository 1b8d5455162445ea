/**
 * The public API, for those who embed a gateway or judge evidence of their own. What is not named here may change at any
 * time. The e-processes and `decide` are pure and stand alone: docs/reference/statistics.md says what they assume.
 */
export { type App, type AppOptions, startApp } from './app.ts';
export { ConfigError, type ConfigProblem } from './config/config-error.ts';
export { type ConfigOverrides, loadConfig } from './config/load.ts';
export type { Config } from './config/schema.ts';
export type { Evidence, Slice } from './core/evidence.ts';
export { NO_EVIDENCE } from './core/evidence.ts';
export type { Log } from './core/log.ts';
export type { Intent, Margins, RolloutSpec, Step } from './core/rollout.ts';
export type {
  Finding,
  MetricKey,
  MetricName,
  MetricStatus,
  Verdict,
  VerdictKind,
} from './core/verdict.ts';
export { METRIC_NAMES } from './core/verdict.ts';
export { type DecideOptions, decide } from './decide/decide.ts';
export {
  harmOfHalf,
  harmOfMean,
  harmOfRate,
  type MeanClaim,
  safeOfMean,
  safeOfRate,
  type ValueCounts,
} from './stats/bets.ts';
export { type ExposedEvents, harmOfEvents, safeOfEvents } from './stats/conditional-events.ts';
export { type Bet, logEvidence, type Mixture } from './stats/mixture.ts';
export { logSampleRatioMismatch } from './stats/sample-ratio.ts';
