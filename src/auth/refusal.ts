import { ServeError } from '../core/errors.ts';
import type { KeyRefusal } from './key-store.ts';

/** Why a caller was refused, as a fixed word: for metrics and the log. */
export type RefusalReason =
  | 'missing'
  | 'several'
  | 'scheme'
  | 'malformed'
  | `key-${KeyRefusal}`
  | 'token-issuer'
  | 'token-invalid'
  | 'token-expired'
  | 'token-claims'
  | 'issuer-down'
  | 'session'
  | 'csrf'
  | 'forbidden';

/** A refusal with its reason; callers see the message. */
export class UnauthenticatedError extends ServeError {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string, options?: ErrorOptions) {
    super('unauthenticated', message, options);
    this.reason = reason;
  }
}
