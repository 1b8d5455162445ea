import type { Folders } from './folders.ts';
import type { Package } from './package.ts';
import type { BytesRead } from './reading-progress.ts';
import type { Scan } from './scan.ts';

/** One model's folder, to be read. */
export type ReadOrder = {
  readonly root: string;
  readonly model: string;
  /** Versions that a route or the configuration names, of any folder name. */
  readonly named: readonly string[];
  /** Its packages as they were read before: see `ScanOptions`. */
  readonly known?: readonly Package[] | undefined;
  /** As of `ScanModelOptions`. */
  readonly config?: string | undefined;
};

/** What a reader's process is asked for: a model's folder, or the names of the folders in a directory. */
export type ReaderOrder =
  | ({ readonly kind: 'model' } & ReadOrder)
  | { readonly kind: 'folders'; readonly directory: string };

/** What it says: how far it has come, several times, then what it has read or why it cannot. */
export type FromReader =
  | { readonly kind: 'progress'; readonly read: BytesRead }
  | { readonly kind: 'scan'; readonly scan: Scan }
  | { readonly kind: 'folders'; readonly folders: Folders }
  | { readonly kind: 'fault'; readonly message: string };
