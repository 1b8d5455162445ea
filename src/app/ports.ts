import { lookup } from 'node:dns/promises';

import type { Address } from '../config/quantities.ts';
import { messageOf } from '../core/errors.ts';

/** A server of the gateway, and the key of the configuration that says where it listens. */
export type Port = {
  readonly key: string;
  readonly address: Address;
  readonly server: {
    listen(host: string, port: number): Promise<{ port: number }>;
    close(): Promise<void>;
  };
};

/** The ports in the order given. Names the key of the configuration that says where to listen, if it is not available. */
export async function listenAll(ports: readonly Port[]): Promise<readonly number[]> {
  const opened: number[] = [];
  for (const { key, address, server } of ports) {
    const host = await hostOf(address);
    const { port } = await server.listen(host, address.port).catch((cause: unknown) => {
      const isTaken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
      const holder = isTaken ? `. To see who has it: ss -ltnp 'sport = :${address.port}'` : '';
      const message = `${key}: expected an address that is free: ${messageOf(cause)}${holder}`;
      throw new Error(message, { cause });
    });
    opened.push(port);
  }
  return opened;
}

/**
 * `localhost` as one address: the library of HTTP opens a second server for the other one, which would have none of our limits,
 * and no TLS.
 */
async function hostOf({ host }: Address): Promise<string> {
  if (host !== 'localhost') return host;
  return (await lookup(host, { verbatim: false })).address;
}
