import type { Joining } from '../core/joining.ts';
import type { WorkerReport } from '../engine/worker.ts';
import type { ExecutorSetting } from './executor.ts';
import type { KeptExample } from './joinings.ts';

/** What a child inherits: its end of the socket and, where there is shared memory, a ring for each direction. */
export const DESCRIPTORS = { socket: 3, requests: 4, answers: 5 } as const;

/** Control messages from the gateway to its child: `open` comes first, `close` last. */
export type ToChild =
  | { readonly kind: 'open'; readonly setting: ExecutorSetting; readonly hasRings: boolean }
  /** What it is there for from here on. */
  | { readonly kind: 'label'; readonly label: string }
  | { readonly kind: 'close' };

/** Control messages from the child to the gateway. */
export type FromChild =
  | { readonly kind: 'ready'; readonly models: WorkerReport['models'] }
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'batch';
      readonly batch: {
        readonly rows: number;
        readonly requests: number;
        readonly computeMs: number;
      };
    }
  | {
      readonly kind: 'joining';
      readonly source: number;
      readonly joining: Joining;
      readonly example?: KeptExample | undefined;
    }
  | { readonly kind: 'probe'; readonly source: number }
  | { readonly kind: 'recheck'; readonly isSame: boolean }
  | { readonly kind: 'stuck'; readonly runMs: number }
  | { readonly kind: 'error'; readonly operation: string; readonly message: string };
