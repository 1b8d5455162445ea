import { Counter, Gauge, type Registry } from 'prom-client';

/** When the certificates in use expire, wall time in ms. */
export type CertificateExpiries = {
  readonly server: number;
  readonly clientCa: number | undefined;
};

/**
 * @param expiries called at each scrape; undefined: no port has TLS.
 * @returns a listener for connections that did not become secure. Both are from small, fixed sets.
 */
export function addTlsMetrics(
  registry: Registry,
  expiries: () => CertificateExpiries | undefined,
): (port: string, reason: string) => void {
  new Gauge({
    name: 'understudy_tls_certificate_expiry_timestamp_seconds',
    help: 'Unix time at which the certificate in use expires, that of the server or the first of the client authorities',
    labelNames: ['certificate'],
    registers: [registry],
    collect() {
      const { server, clientCa } = expiries() ?? {};
      if (server !== undefined) this.set({ certificate: 'server' }, server / 1_000);
      if (clientCa !== undefined) this.set({ certificate: 'client_ca' }, clientCa / 1_000);
    },
  });
  const failed = new Counter({
    name: 'understudy_tls_handshakes_failed_total',
    help: 'Connections that did not become secure, by reason',
    labelNames: ['port', 'reason'],
    registers: [registry],
  });
  return (port, reason) => failed.inc({ port, reason });
}
