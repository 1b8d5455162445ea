import type { Socket } from 'node:net';

/** Why a connection did not become one of TLS. */
export type HandshakeFault =
  /** It did not speak TLS. */
  | 'plaintext'
  /** Too slow. */
  | 'timeout'
  /** Made room for a newer one: too many are in their handshake at once. */
  | 'crowded'
  /** No version, cipher or protocol in common, or broken off. */
  | 'failed'
  /** None where one is required, or one that is not valid. */
  | 'client_certificate';

/**
 * Connections of one port that may be in their handshake at one time, beyond `server.connectionsMax`. One more takes the place of the
 * one that has been at it longest: a handshake takes one or two round trips, so what is still there when hundreds have come after it stalls.
 */
export const HANDSHAKES_MAX = 512;

/** How long one may take, the wait for its first byte included. Envoy's transport_socket_connect_timeout; Node's own default is two minutes. */
export const HANDSHAKE_MS_MAX = 10_000;

export type HandshakesOptions = {
  readonly max: number;
  readonly msMax: number;
  readonly onFault: (fault: HandshakeFault) => void;
};

/** The connections that are not secure yet, bounded in number and in time. */
export class Handshakes {
  readonly #options: HandshakesOptions;
  /** By addresses and ports, the one that has been at it longest first. */
  readonly #open = new Map<string, { readonly socket: Socket; readonly timer: NodeJS.Timeout }>();

  constructor(options: HandshakesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  enter(socket: Socket): void {
    const { max, msMax } = this.#options;
    // It was reset before it got here.
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    if (this.#open.size >= max) this.#cutFirst();
    const name = nameOf(socket);
    const timer = setTimeout(() => this.#cut(name, 'timeout'), msMax);
    this.#open.set(name, { socket, timer });
    socket.once('close', () => this.#end(name));
  }

  /** Its handshake is over. Takes either socket of it, the plain or the secure one; false where it is not known. */
  end(socket: Socket): boolean {
    return this.#end(nameOf(socket));
  }

  #end(name: string): boolean {
    clearTimeout(this.#open.get(name)?.timer);
    return this.#open.delete(name);
  }

  #cut(name: string, fault: HandshakeFault): void {
    const held = this.#open.get(name);
    if (held === undefined) return;
    this.#options.onFault(fault);
    this.#end(name);
    held.socket.destroy();
  }

  /** The port closes. */
  cutAll(): void {
    for (const [name, { socket }] of [...this.#open]) {
      this.#end(name);
      socket.destroy();
    }
  }

  #cutFirst(): void {
    const [first] = this.#open.keys();
    if (first !== undefined) this.#cut(first, 'crowded');
  }
}

/** No two open connections of a machine share it; a secure socket has that of the plain one below it. */
function nameOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
