import type { Machine } from '../machine.ts';

/** What one form of a peer did in a short closed loop; `failed`: why there is no figure. */
export type Trial = {
  readonly form: string;
  readonly perSecond?: number;
  readonly failed?: string;
};

/** An open loop at one rate. Latencies in milliseconds from the intended start. */
export type RateFigures = {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests that were refused or not answered. */
  readonly errors: number;
  /** Loads with warnings: the generator did not keep up. */
  readonly warnings: number;
};

/** One start of a peer, loaded and stopped. */
export type Round = {
  readonly startMs: number;
  /** In a closed loop at its start, which warms the server up and says where to search from. */
  readonly closedPerSecond: number;
  /** The highest rate whose 99th percentile stays within the limit; undefined: none was found. */
  readonly highestPerSecond: number | undefined;
  readonly half: RateFigures | undefined;
  /** At the rate that all peers get. */
  readonly common: RateFigures;
  /** After the loads, all its processes together. */
  readonly memoryMiB: number;
  readonly warnings: number;
};

/** What was found of one peer with one model. */
export type PeerFigures = {
  readonly peer: string;
  readonly trials: readonly Trial[];
  /** Of the trials the best; undefined: none worked. */
  readonly form: string | undefined;
  readonly rounds: readonly Round[];
  readonly failed?: string;
};

export type ModelFigures = {
  readonly model: string;
  readonly title: string;
  readonly p99MsMax: number;
  readonly commonPerSecond: number;
  readonly peers: readonly PeerFigures[];
};

export type PeerFacts = {
  readonly name: string;
  readonly versions: readonly string[];
  readonly how: string;
  readonly source: string;
};

/** All of one run. Plain data: it is kept as JSON. */
export type PeersResult = {
  readonly takenAt: string;
  readonly machine: Machine;
  readonly command: string;
  readonly cores: string;
  readonly peers: readonly PeerFacts[];
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
  readonly models: readonly ModelFigures[];
  readonly proxies?: readonly ProxyFigures[];
  readonly conditions: Readonly<Record<string, string | number>>;
};

/** One way of splitting or mirroring in front of, or in, two gateways. */
export type ProxyFigures = {
  readonly name: string;
  readonly versions: readonly string[];
  readonly failed?: string;
  readonly rounds: readonly ProxyRound[];
};

/** All but the plain figures and the share of copies are ratios to the same way with neither splitting nor mirroring, in the same round. */
export type ProxyRound = {
  readonly plainPerSecond: number;
  readonly plainP50Ms: number;
  readonly plainP99Ms: number;
  readonly splitP50: number;
  readonly splitP99: number;
  readonly splitThroughput: number;
  readonly mirrorP50: number;
  readonly mirrorP99: number;
  readonly mirrorThroughput: number;
  /** Of all requests of the open loop, those whose copy was answered: a mirror that drops copies costs less. */
  readonly mirrorCopied: number;
};
