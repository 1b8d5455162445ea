import { Forked } from './forked.ts';

/** What the stock gRPC server reports of itself. */
export type GrpcEchoNews = { readonly kind: 'listening'; readonly port: number };

/** The stock gRPC server in a process of its own. */
export class GrpcEchoProcess {
  readonly #forked: Forked<never, GrpcEchoNews>;
  readonly port: number;

  private constructor(forked: Forked<never, GrpcEchoNews>, port: number) {
    this.#forked = forked;
    this.port = port;
  }

  static async start(): Promise<GrpcEchoProcess> {
    const script = new URL('./grpc-echo-server.js', import.meta.url);
    const forked = new Forked<never, GrpcEchoNews>(script, 'the gRPC echo server');
    return new GrpcEchoProcess(forked, (await forked.next()).port);
  }

  close(): void {
    this.#forked.close();
  }
}
