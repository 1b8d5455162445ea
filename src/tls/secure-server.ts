import type { Server, Socket } from 'node:net';
import { createServer, type TLSSocket, type Server as TlsServer } from 'node:tls';

import type { Certificates } from './certificates.ts';
import { HANDSHAKE_MS_MAX, HANDSHAKES_MAX, type HandshakeFault, Handshakes } from './handshakes.ts';
import { type AppProtocol, looksPlain, PLAIN_REFUSAL, refusalText } from './refusals.ts';

export type SecureServerOptions = {
  readonly certificates: Pick<Certificates, 'context' | 'onRenewed'>;
  readonly protocol: AppProtocol;
  /** Whether clients may show a certificate, or have to; undefined: they are not asked for one. nginx's ssl_verify_client. */
  readonly clients: 'request' | 'require' | undefined;
  /** Must not throw. */
  readonly onFault: (fault: HandshakeFault) => void;
  /** Connections in their handshake at one time; by default 512. */
  readonly handshakesMax?: number;
  /** Milliseconds of one handshake; by default 10 s. */
  readonly handshakeMsMax?: number;
};

/** The first byte of every connection of TLS: a record of its handshake. */
const HANDSHAKE_RECORD = 0x16;

/** How long a client that does not speak TLS has to take the answer. */
const GOODBYE_MS = 1_000;

type Listener = (socket: Socket) => void;

/**
 * Puts TLS before a server that listens on plain connections: its listeners for `connection` get the secure sockets, once each
 * handshake is over, and all that they bound and watch works as it does without TLS. Call it after the last of them was added, and
 * before the server listens.
 *
 * Renegotiation is off, the client's SNI is not asked, and sessions are resumed by tickets only, for five minutes.
 */
export function secureServer(server: Server, options: SecureServerOptions): void {
  const { certificates, onFault } = options;
  const { handshakesMax: max = HANDSHAKES_MAX, handshakeMsMax: msMax = HANDSHAKE_MS_MAX } = options;
  const listeners = server.listeners('connection') as unknown as readonly Listener[];
  const handshakes = new Handshakes({ max, msMax, onFault });
  const engine = createEngine(options);
  certificates.onRenewed((context) => engine.setSecureContext(context));
  server.removeAllListeners('connection');
  let allowsHalfOpen = false;
  server.on('connection', (socket: Socket) => {
    // The same for all connections of a server.
    allowsHalfOpen = socket.allowHalfOpen;
    begin(socket, { engine, handshakes, options });
  });
  engine.on('secureConnection', (socket: TLSSocket) => {
    if (!handshakes.end(socket)) return void socket.destroy();
    if (!isWelcome(socket, options)) return;
    socket.allowHalfOpen = allowsHalfOpen;
    for (const listener of listeners) listener.call(server, socket);
  });
  closeWith(server, handshakes);
}

/** The server of Node that makes handshakes; it never listens itself. */
function createEngine({
  certificates,
  protocol,
  clients,
  onFault,
}: SecureServerOptions): TlsServer {
  const engine = createServer({
    ...certificates.context,
    ALPNProtocols: [protocol],
    requestCert: clients !== undefined,
    rejectUnauthorized: clients === 'require',
  });
  engine.on('tlsClientError', (error: Error & { readonly code?: string }, socket: TLSSocket) => {
    const fault = faultOf(error, socket);
    if (fault !== undefined) onFault(fault);
    socket.destroy();
  });
  return engine;
}

/** undefined: the client went away, or was cut, which is counted there. */
function faultOf(
  { code = '' }: { readonly code?: string },
  { authorizationError }: TLSSocket,
): HandshakeFault | undefined {
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return 'client_certificate';
  if (code !== 'ECONNRESET') return 'failed';
  // The library drops a client whose certificate is not valid without a word.
  return authorizationError ? 'client_certificate' : undefined;
}

type Beginning = {
  readonly engine: TlsServer;
  readonly handshakes: Handshakes;
  readonly options: SecureServerOptions;
};

function begin(socket: Socket, { engine, handshakes, options }: Beginning): void {
  // A reset ends with `close`, which is all that matters.
  socket.on('error', () => undefined);
  handshakes.enter(socket);
  if (socket.destroyed) return;
  socket.once('readable', () => {
    const bytes: Buffer | null = socket.read();
    if (bytes === null) {
      socket.destroy();
      return;
    }
    if (bytes[0] !== HANDSHAKE_RECORD) {
      refusePlain(socket, bytes, { handshakes, options });
      return;
    }
    socket.unshift(bytes);
    // Half a connection makes no handshake. The secure socket has it from the plain one, until it is there.
    socket.allowHalfOpen = false;
    engine.emit('connection', socket);
  });
}

function refusePlain(
  socket: Socket,
  bytes: Buffer,
  { handshakes, options: { onFault } }: Omit<Beginning, 'engine'>,
): void {
  onFault('plaintext');
  handshakes.end(socket);
  if (!looksPlain(bytes)) {
    socket.destroy();
    return;
  }
  const timer = setTimeout(() => socket.destroy(), GOODBYE_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.once('end', () => socket.destroy());
  socket.end(PLAIN_REFUSAL);
  socket.resume();
}

/** Answers and closes a connection that may not be used, and returns false. */
function isWelcome(socket: TLSSocket, options: SecureServerOptions): boolean {
  const { protocol, clients, onFault } = options;
  const { alpnProtocol } = socket;
  if (alpnProtocol !== protocol && (alpnProtocol || protocol === 'h2')) {
    onFault('failed');
    refuse(socket, 'expected a client that speaks HTTP/2 and says so (ALPN h2), found none');
    return false;
  }
  if (clients === undefined || socket.authorized) return true;
  const shown = socket.getPeerX509Certificate();
  if (shown === undefined && clients === 'request') return true;
  onFault('client_certificate');
  const why = String(socket.authorizationError ?? 'none was shown');
  if (protocol === 'h2') socket.destroy();
  else refuse(socket, `expected a client certificate that server.tls.clientCa vouches for: ${why}`);
  return false;
}

function refuse(socket: TLSSocket, error: string): void {
  const timer = setTimeout(() => socket.destroy(), GOODBYE_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.on('error', () => undefined);
  socket.once('end', () => socket.destroy());
  socket.end(refusalText(error));
  socket.resume();
}

/** A server that closes waits for its connections: those in their handshake have nothing to wait for. */
function closeWith(server: Server, handshakes: Handshakes): void {
  const close = server.close.bind(server);
  server.close = (onClosed) => {
    handshakes.cutAll();
    return close(onClosed);
  };
}
