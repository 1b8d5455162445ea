import { DiskHungError } from '../disk/bounded-queue.ts';
import {
  type DegradedCause,
  LedgerBrokenError,
  LedgerGoneError,
  LedgerLockedError,
} from './ledger.ts';

/** What lies there is not this ledger, or no longer this process's. */
const GONE = [LedgerGoneError, LedgerBrokenError, LedgerLockedError];

const CAUSES: Readonly<Record<string, DegradedCause>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  EROFS: 'readOnly',
  EACCES: 'readOnly',
  EPERM: 'readOnly',
  ENOENT: 'gone',
  ENOTDIR: 'gone',
  ESTALE: 'gone',
};

/** What a failed write says about the ledger. */
export function degradedCauseOf(error: unknown): DegradedCause {
  if (error instanceof DiskHungError) return 'hung';
  if (GONE.some((kind) => error instanceof kind)) return 'gone';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return CAUSES[code] ?? 'failing';
}
