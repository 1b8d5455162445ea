import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import type { RunningGateway } from '../e2e/a-gateway.ts';
import { grpcClient } from '../interop/grpc-client.ts';
import { type ClientTls, HttpCaller } from './http-caller.ts';
import type { LockedPlace } from './place.ts';

export type Ports = Readonly<Record<'http' | 'grpc' | 'admin' | 'metrics', number>>;

/** What is attacked: a gateway, what lies in its folder, and the way to its ports. */
export type Target = {
  readonly place: LockedPlace;
  readonly ports: Ports;
  readonly log: () => string;
};

export function targetOf(place: LockedPlace, gateway: RunningGateway): Target {
  const news = gateway.entries().find(({ message }) => message.startsWith('answering at'));
  const { httpPort: http, grpcPort: grpc } = gateway;
  const [admin, metrics] = [news?.facts?.['admin'], news?.facts?.['metrics']].map(Number);
  if (admin === undefined || metrics === undefined) throw new Error('expected ports in the log');
  return { place, ports: { http, grpc, admin, metrics }, log: () => gateway.log };
}

/** `shown`: a certificate and its key, in PEM. */
export function callerOf(
  { place, ports }: Target,
  port: 'http' | 'admin' | 'metrics',
  { connections = 1, shown = {} }: { readonly connections?: number; readonly shown?: object } = {},
): HttpCaller {
  const tls: ClientTls = place.tls && { ...place.tls.client, ...shown };
  return new HttpCaller(ports[port], connections, tls);
}

export function grpcCallerOf({ place, ports }: Target): ReturnType<typeof grpcClient> {
  return grpcClient(`localhost:${ports.grpc}`, channelOf(place));
}

export function channelOf({ tls }: LockedPlace): ChannelCredentials {
  return tls === undefined
    ? credentials.createInsecure()
    : credentials.createSsl(Buffer.from(tls.client.ca));
}
