import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { Test } from 'tap';

import { secureContextOf, type TlsVersion } from '../../src/tls/secure-context.ts';
import type { SecureServerOptions } from '../../src/tls/secure-server.ts';
import { secureServer } from '../../src/tls/secure-server.ts';
import { checkTexts, readTexts, type TlsPaths } from '../../src/tls/tls-files.ts';
import type { Authority } from '../support/certificates.ts';

/** The certificates of files, which nothing renews. */
export async function contextOf(paths: TlsPaths, minVersion: TlsVersion = 'TLSv1.2') {
  const context = secureContextOf(checkTexts(await readTexts(paths), paths), minVersion);
  return { context, onRenewed: () => undefined };
}

export type Secured = {
  /** Why connections did not become secure, in order. */
  readonly faults: string[];
  /** An option that `secureServer` takes. */
  readonly secure: (server: Server) => void;
  /** Connects and completes the handshake; rejects where it fails. */
  readonly connected: (port: number, options?: ConnectionOptions) => Promise<TLSSocket>;
};

/** What puts TLS before a server, with a certificate of the authority, and clients that trust it. */
export async function secured(
  t: Test,
  authority: Authority,
  options: Partial<SecureServerOptions> = {},
): Promise<Secured> {
  const { protocol = 'http/1.1', clients } = options;
  const clientCa = clients === undefined ? undefined : authority.certificate;
  const certificates = await contextOf({
    ...(await authority.issue({ name: 'server' })),
    clientCa,
  });
  const ca = await authority.ca();
  const faults: string[] = [];
  return {
    faults,
    secure: (server) =>
      secureServer(server, {
        ...{ certificates, protocol, clients },
        onFault: (fault) => faults.push(fault),
        ...options,
      }),
    connected: async (port, more = {}) => {
      const ALPNProtocols = [protocol];
      const socket = connect({ port, host: '127.0.0.1', ca, ALPNProtocols, ...more });
      t.teardown(() => socket.destroy());
      await once(socket, 'secureConnect');
      socket.on('error', () => undefined);
      return socket;
    },
  };
}

/** Everything that comes until the other side closes. */
export function read(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (piece) => {
      text += String(piece);
    });
    socket.on('error', () => undefined);
    socket.once('close', () => resolve(text));
  });
}
