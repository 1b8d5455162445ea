import type { Needs } from '../core/entrance.ts';

/** What routes and methods of the data plane ask of their callers. */
export const OPEN = 'nothing' satisfies Needs;
export const INFER = { role: 'infer', of: 'model' } as const satisfies Needs;
export const INFER_ANY = { role: 'infer', of: 'any' } as const satisfies Needs;
/** Callers label requests of their own without the role `label`. */
export const LABEL_ANY = { role: 'label', or: 'infer', of: 'any' } as const satisfies Needs;
export const VIEW = { role: 'view', of: 'model' } as const satisfies Needs;
export const VIEW_ALL = { role: 'view', of: 'all' } as const satisfies Needs;
export const OPERATE = { role: 'operate', of: 'model' } as const satisfies Needs;
export const ADMIN = { role: 'admin', of: 'all' } as const satisfies Needs;
