import type { Command } from './peer.ts';

/** What is measured of each way: everything to one version; half to each; all to one, and a copy of all to the other. */
export const MODES = ['plain', 'split', 'mirror'] as const;
export type Mode = (typeof MODES)[number];

/** The ports of two gateways, and those at which a proxy in front of them does each of the modes. */
export type ProxyPorts = {
  readonly live: number;
  readonly other: number;
} & Readonly<Record<Mode, number>>;

/** A proxy that splits and mirrors between two servers. */
export type SplitProxy = {
  readonly name: string;
  /** Finds it, or rejects with the reason why there is none. */
  readonly find: (mayInstall: boolean) => Promise<FoundProxy>;
};

export type FoundProxy = {
  readonly versions: readonly string[];
  /** Writes its configuration into the folder. One process, one worker, no access log, connections to the servers kept. */
  readonly command: (folder: string, ports: ProxyPorts) => Promise<Command>;
};
