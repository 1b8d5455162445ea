import * as z from 'zod';
import { expected } from './expected.ts';

const CALLER_NAME_LENGTH_MAX = 256;

export const A_CALLER = 'a caller such as key:batch, user:ann, certificate:edge or anonymous';

const aCaller = expected(A_CALLER);

/** The name of a caller, as it is in the ledger and in logs. */
export const callerName = z
  .string({ error: aCaller })
  .max(CALLER_NAME_LENGTH_MAX, { error: aCaller })
  .regex(/^(anonymous|(key|user|certificate):[\x21-\x7e]+)$/, { error: aCaller });
