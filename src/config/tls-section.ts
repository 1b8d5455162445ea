import * as z from 'zod';
import { DEFAULTS } from './defaults.ts';
import { expected, section } from './expected.ts';

/** The ports that can speak TLS, as keys of `server`. */
export const TLS_PORTS = ['http', 'grpc', 'admin', 'metrics'] as const;

export type TlsPort = (typeof TLS_PORTS)[number];

/** The section `server.tls`, its paths absolute. */
export type TlsSection = {
  /** PEM: the server's certificate, then those between it and its authority. nginx's ssl_certificate. */
  readonly certificate: string;
  /** PEM, without a passphrase. nginx's ssl_certificate_key. */
  readonly key: string;
  /** PEM: the authorities of client certificates; undefined: none are asked for. nginx's ssl_client_certificate. */
  readonly clientCa?: string | undefined;
  /** Whether a client may come without a certificate. nginx's ssl_verify_client: optional, on. */
  readonly clients: 'request' | 'require';
  /** nginx's ssl_protocols. */
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly ports: readonly TlsPort[];
};

function pemFile(what: string) {
  const error = expected(`a file with ${what} in PEM`);
  return z.string({ error }).min(1, { error });
}

/** The schema of `server.tls`. */
export const tlsSchema = section({
  certificate: pemFile('the certificate'),
  key: pemFile('its private key'),
  clientCa: pemFile('the authorities of client certificates').optional(),
  clients: z.enum(['request', 'require'], { error: expected('request or require') }).optional(),
  minVersion: z
    .enum(['TLSv1.2', 'TLSv1.3'], { error: expected('TLSv1.2 or TLSv1.3') })
    .default(DEFAULTS.server.tls.minVersion),
  ports: z
    .array(z.enum(TLS_PORTS, { error: expected(`one of ${TLS_PORTS.join(', ')}`) }), {
      error: expected(`a list of ${TLS_PORTS.join(', ')}`),
    })
    .min(1, { error: 'expected at least one port' })
    .default([...DEFAULTS.server.tls.ports]),
})
  .refine(({ clients, clientCa }) => clients === undefined || clientCa !== undefined, {
    error: 'expected clientCa too: without it no client certificate can be verified',
    path: ['clients'],
  })
  .transform(
    ({ clients = DEFAULTS.server.tls.clients, ...rest }): TlsSection => ({ ...rest, clients }),
  );

/** The section with its paths as from the folder of the file. */
export function tlsFrom(
  tls: TlsSection | undefined,
  absolute: (path: string) => string,
): TlsSection | undefined {
  return (
    tls && {
      ...tls,
      certificate: absolute(tls.certificate),
      key: absolute(tls.key),
      ...(tls.clientCa !== undefined && { clientCa: absolute(tls.clientCa) }),
    }
  );
}
