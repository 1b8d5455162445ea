/** The address of a server. */
export type Address = { readonly host: string; readonly port: number; readonly tls: boolean };

/** `https://host:port`, as a URL begins. */
export function originOf({ host, port, tls }: Address): string {
  return `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** How requests reach a server. Plain data: it is sent to the generator's processes. */
export type Wire =
  /** HTTP/1.1, one request at a time on each connection. */
  | { readonly kind: 'http'; readonly address: Address }
  /** Unary gRPC calls, `connections` of HTTP/2 shared by all. `path`: `/package.Service/Method`. */
  | GrpcWire<'grpc'>
  /** One stream per connection; answers come in any order and are matched by the id in request and answer. */
  | GrpcWire<'grpc-stream'>;

type GrpcWire<Kind extends string> = {
  readonly kind: Kind;
  readonly address: Address;
  readonly path: string;
  readonly connections: number;
  /** Sent with each call (unary) or stream. */
  readonly headers: Readonly<Record<string, string>>;
};
