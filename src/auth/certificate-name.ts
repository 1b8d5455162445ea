import type { ClientCertificate } from '../core/caller.ts';
import { UnauthenticatedError } from './refusal.ts';

/** As in `auth.grants`: printable, without spaces, of a length that fits into logs. */
const NAME = /^[\x21-\x7e]{1,200}$/;

/**
 * The caller of a certificate: its common name, else its first DNS name, else its first URI.
 *
 * @throws UnauthenticatedError for a certificate whose name is none of these, or does not fit into a log.
 */
export function certificateName({ commonName, dnsNames, uris }: ClientCertificate): string {
  const name = commonName ?? dnsNames[0] ?? uris[0];
  if (name !== undefined && NAME.test(name)) return name;
  throw new UnauthenticatedError(
    'malformed',
    'expected a client certificate with a common name, DNS name or URI of printable characters, at most 200, without spaces; found another',
  );
}
