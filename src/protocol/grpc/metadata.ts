import { Metadata } from '@grpc/grpc-js';

import { ServeError } from '../../core/errors.ts';
import { REQUEST_ID } from '../caller-id.ts';
import type { HeaderOf } from '../routing-key.ts';

/** Names of the metadata that answers carry. */
const VERSION_KEY = 'x-understudy-version';
export const FEEDBACK_KEY = 'x-understudy-feedback';

/** The metadata by which a caller bounds its wait, in milliseconds. */
const TIMEOUT_KEY = 'x-request-timeout-ms';

/** Values of a key that came more than once are joined, as those of an HTTP header are. Binary values are not looked at. */
export function headersOf(metadata: Metadata): HeaderOf {
  return (name) => {
    // What HTTP allows as the name of a header and gRPC does not can never have been sent.
    if (!/^[0-9a-z_.-]+$/.test(name)) return undefined;
    const values = metadata.get(name).filter((value) => typeof value === 'string');
    return values.length === 0 ? undefined : values.join(', ');
  };
}

/** @throws ServeError `invalid_input` where the value is no positive number. */
export function timeoutMsOf(header: HeaderOf): number {
  const text = header(TIMEOUT_KEY);
  if (text === undefined) return Infinity;
  const ms = /^\d{1,12}(\.\d{1,6})?$/.test(text) ? Number(text) : 0;
  if (ms > 0) return ms;
  throw new ServeError(
    'invalid_input',
    `unexpected metadata ${TIMEOUT_KEY}: expected a positive number of milliseconds, found '${text.slice(0, 40)}'`,
  );
}

/** What is sent ahead of an answer. */
export function answerMetadata(
  version: string,
  token: string | undefined,
  callerId: string | undefined,
): Metadata {
  const metadata = new Metadata();
  metadata.set(VERSION_KEY, plainText(version));
  if (callerId !== undefined) metadata.set(REQUEST_ID, callerId);
  if (token !== undefined) metadata.set(FEEDBACK_KEY, token);
  return metadata;
}

/** A version may be any string, metadata may not: what is not printable ASCII is percent-encoded. */
function plainText(text: string): string {
  return /^[\x21-\x7e]*$/.test(text) ? text : encodeURIComponent(text);
}
