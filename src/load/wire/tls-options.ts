import { createSecureContext, type SecureContext } from 'node:tls';
import type { Address, TlsClient } from '../nouns/wire.ts';

/** By client: reading the certificates again for each of a thousand connections takes seconds. */
const contexts = new WeakMap<TlsClient, SecureContext>();

/**
 * What Node's clients of TLS take besides the address: nothing where it says nothing.
 *
 * @throws Error for certificates or a key that cannot be read, or that do not fit together.
 */
export function tlsOptionsOf({ client }: Address): {
  readonly secureContext?: SecureContext;
  readonly rejectUnauthorized?: boolean;
} {
  if (client === undefined) return {};
  const { isInsecure = false, ...files } = client;
  const secureContext = contexts.get(client) ?? createSecureContext(files);
  contexts.set(client, secureContext);
  return { secureContext, rejectUnauthorized: !isInsecure };
}
