/** The address of a server. */
export type Address = {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** With `tls` only. It may hold a private key, and is in no report. */
  readonly client?: TlsClient;
};

/** Whom a client of TLS trusts, and how it proves who it is. Plain data. */
export type TlsClient = {
  /** The authorities that are trusted instead of those of Node, in PEM. curl's --cacert. */
  readonly ca?: string;
  /** The client's certificate and its private key, in PEM. curl's --cert and --key. */
  readonly cert?: string;
  readonly key?: string;
  /** Takes any certificate of the server; by default it must be valid, trusted and of this host. curl's --insecure. */
  readonly isInsecure?: boolean;
};

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
