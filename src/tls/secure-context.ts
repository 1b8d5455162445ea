import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';

import { messageOf } from '../core/errors.ts';
import type { TlsFiles } from './tls-files.ts';

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/**
 * What is offered: TLS 1.3 in whole, and of TLS 1.2 what has forward secrecy (ECDHE) and authenticated encryption (AEAD). This is
 * Mozilla's list "intermediate" without the two that exchange keys by DHE. nginx's ssl_ciphers.
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
] as const;

/**
 * How long a session may be resumed, seconds, and so how long a client certificate that has expired meanwhile. nginx's ssl_session_timeout,
 * whose default it has.
 */
const SESSION_S = 300;

/**
 * What a server of TLS is given. Each context has keys of its own for session tickets, so that a new certificate, or another
 * list of authorities, ends all sessions that could be resumed.
 *
 * @throws Error where the library of TLS does not accept the files: a key that is too short, for instance.
 */
export function secureContextOf(
  { texts: { certificate, key, clientCa } }: TlsFiles,
  minVersion: TlsVersion,
): SecureContextOptions {
  const options: SecureContextOptions = {
    cert: certificate,
    key,
    ...(clientCa !== undefined && { ca: clientCa }),
    minVersion,
    maxVersion: 'TLSv1.3',
    ciphers: CIPHERS.join(':'),
    // All are good: a client without hardware for AES is faster with ChaCha20, and knows best.
    honorCipherOrder: false,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    sessionTimeout: SESSION_S,
  };
  try {
    createSecureContext(options);
  } catch (cause) {
    throw new Error(
      `server.tls: expected a certificate and a key that can be served: ${messageOf(cause)}`,
      { cause },
    );
  }
  return options;
}
