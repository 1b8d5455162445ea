import { createHmac } from 'node:crypto';

/** Shorter ones can be guessed. Standard Webhooks asks for 24 to 64. */
const SECRET_BYTES_MIN = 16;
const SECRET_BYTES_MAX = 512;

/** The key that a secret as written stands for: base64 behind `whsec_`, any other text as it is. */
export function keyOf(secret: string): Buffer {
  const isEncoded = secret.startsWith('whsec_');
  const key = isEncoded
    ? Buffer.from(secret.slice('whsec_'.length), 'base64')
    : Buffer.from(secret);
  if (key.length >= SECRET_BYTES_MIN && key.length <= SECRET_BYTES_MAX) return key;
  throw new Error(
    `expected a secret of ${SECRET_BYTES_MIN} to ${SECRET_BYTES_MAX} bytes, found ${key.length}: openssl rand -base64 32`,
  );
}

export type Signed = {
  readonly id: string;
  /** Of this attempt, in seconds since 1970. */
  readonly timestamp: number;
  readonly body: string;
};

/**
 * The headers of the Standard Webhooks specification (https://www.standardwebhooks.com): one signature for each key, so that
 * a receiver may have either while a secret is replaced. Without keys there is no signature.
 */
export function signedHeaders(
  { id, timestamp, body }: Signed,
  keys: readonly Buffer[],
): Readonly<Record<string, string>> {
  const signature = keys
    .map((key) => createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64'))
    .map((digest) => `v1,${digest}`)
    .join(' ');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    ...(keys.length > 0 && { 'webhook-signature': signature }),
  };
}
