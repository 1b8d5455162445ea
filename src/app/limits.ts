/** The limits of the composition that no key of the configuration sets, each with its unit. */
import type { GatewayLimits } from '../gateway/gateway.ts';
import type { Catalog } from '../models/catalog.ts';

/** How often rollouts are looked at, milliseconds. A decision costs a few. */
export const TICK_MS = 250;

/** What one HTTP request may cost beyond the configured sizes. */
export const REST_LIMITS = {
  tensorsMax: 1_024,
  jsonDepthMax: 100,
  jsonElementsMax: 16_777_216,
  receiveMsMax: 60_000,
  sendMsMax: 60_000,
  lingerMsMax: 5_000,
} as const;

/** What one gRPC call may cost beyond the configured sizes. */
export const GRPC_LIMITS = {
  tensorsMax: 1_024,
  callsMax: 1_024,
  streamRequestsMax: 64,
  stallMsMax: 60_000,
  lingerMsMax: 5_000,
} as const;

/** A gRPC message may exceed `bodyMax` by this for names, shapes and parameters, so that its tensors may take as much as over HTTP. */
export const MESSAGE_SLACK_BYTES = 65_536;

/** Max open connections of the admin port. nginx's worker_connections. */
export const ADMIN_CONNECTIONS_MAX = 128;

/**
 * What may wait for the shadow hosts, for all models alike; its bytes are `limits.mirrorMax`, of which one model may have half.
 * Mirroring stops while more live requests are in flight than a healthy gateway ever has, and what waits longer than its limit is
 * dropped and counted; what has begun may take as long as a run may by default. No client waits for a mirrored answer, so a few milliseconds of gathering delay no request, and requests
 * that run together cost the shadow less.
 */
export const MIRROR_LIMITS = {
  concurrency: 64,
  queueRequestsMax: 512,
  deadlineMs: 5_000,
  lateMs: 60_000,
  gatherMs: 5,
  liveInFlightMax: 256,
};

/** What images may cost. */
export const CODEC_LIMITS = {
  /** Two of libuv's four threads, which the whole process shares, stay free for files. */
  threads: 2,
  queueMax: 64,
  /** A photograph of the largest usual cameras; some 150 MiB while it is decoded. sharp's limitInputPixels. */
  pixelsMax: 50_000_000,
  secondsMax: 10,
} as const;

/** Max live requests in flight, over all models: some hundred MB of small requests. */
const IN_FLIGHT_MAX = 4_096;

/** Of these, max requests in flight on one arm of a trial. */
const ARM_IN_FLIGHT_MAX = 1_024;

/** The gateway's limits. */
export function gatewayLimits(catalog: Catalog): GatewayLimits {
  return {
    inFlightMax: IN_FLIGHT_MAX,
    armInFlightMax: ARM_IN_FLIGHT_MAX,
    // A request of an undeclared model runs alone where it has more rows than a run may have.
    rowsMax: (model) => {
      const { rowsMax, declared } = catalog.settings(model).batch;
      return declared && rowsMax > 0 ? rowsMax : Number.POSITIVE_INFINITY;
    },
  };
}
