import type { WorkerReport } from '../engine/worker.ts';
import type { DeskSetting } from './desk.ts';

/** What the gateway tells its child beside requests: first how to set up, last to drain and end. */
export type ToChild =
  | { readonly kind: 'open'; readonly setting: DeskSetting }
  | { readonly kind: 'close' };

/** What the child tells beside answers. */
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
  | { readonly kind: 'stuck'; readonly runMs: number }
  | { readonly kind: 'error'; readonly operation: string; readonly message: string };
