import { ANY_ASKER } from '../../src/core/entrance.ts';
import type { LabelSource } from '../../src/core/label-source.ts';

/** The admin port, where authentication is off. */
export const BY_ADMIN: LabelSource = { plane: 'admin', address: '127.0.0.1', asker: ANY_ASKER };

/** A client of the data plane, where authentication is off. */
export function aClientAt(address: string): LabelSource {
  return { plane: 'data', address, asker: ANY_ASKER };
}
