import type { BytesRead } from './reading-progress.ts';
import type { Scan } from './scan.ts';

/** What a reader's process is asked to read: one model's folder. */
export type ReadOrder = {
  readonly root: string;
  readonly model: string;
  /** Versions that a route or the configuration names, of any folder name. */
  readonly named: readonly string[];
};

/** What it says: how far it has come, several times, then what it has read or why it cannot. */
export type FromReader =
  | { readonly kind: 'progress'; readonly read: BytesRead }
  | { readonly kind: 'scan'; readonly scan: Scan }
  | { readonly kind: 'fault'; readonly message: string };
