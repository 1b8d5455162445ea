import type { Server } from 'node:net';

import type { Config } from '../config/schema.ts';
import type { TlsPort } from '../config/tls-section.ts';
import { systemClock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { Certificates, type Expiries } from '../tls/certificates.ts';
import { secureServer } from '../tls/secure-server.ts';
import { type Release, releasing } from './release.ts';

/** TLS of the ports that have it. */
export type Tls = {
  /** Puts TLS before the server of a port that has it: once all listeners of the server are there. */
  readonly secure: (port: TlsPort, server: Server) => void;
  /** undefined: no port has TLS. */
  readonly expiries: () => Expiries | undefined;
  /** Reads the certificates again; resolves with why the new ones are not used. */
  readonly refresh: () => Promise<readonly string[]>;
};

export type TlsOptions = {
  readonly config: Config;
  readonly log: Log;
  /** Asked once connections come. */
  readonly telemetry: () => Pick<Telemetry, 'onTlsFault'>;
};

/** Where no port has TLS. */
export const NO_TLS: Tls = {
  secure: () => undefined,
  expiries: () => undefined,
  refresh: async () => [],
};

/** Rejects where `server.tls` names files that cannot be served. */
export async function openTls(
  { config, log, telemetry }: TlsOptions,
  release: Release,
): Promise<Tls> {
  const { tls } = config.server;
  if (tls === undefined) return NO_TLS;
  const { minVersion, ports } = tls;
  const certificates = await Certificates.open({ paths: tls, minVersion, log, clock: systemClock });
  release.push(releasing('looks at certificates', async () => certificates.stop()));
  const clients = tls.clientCa === undefined ? undefined : tls.clients;
  return {
    secure: (port, server) => {
      if (!ports.includes(port)) return;
      const protocol = port === 'grpc' ? 'h2' : 'http/1.1';
      secureServer(server, {
        ...{ certificates, protocol, clients },
        onFault: (fault) => telemetry().onTlsFault(port, fault),
      });
    },
    expiries: () => certificates.expiries(),
    refresh: async () => {
      const why = await certificates.refresh();
      return why === undefined ? [] : [`the certificate in use is kept: ${why}`];
    },
  };
}
