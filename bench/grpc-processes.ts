import { Forked } from './forked.ts';
import type { GrpcEchoNews, GrpcLoad, GrpcReport } from './grpc-message.ts';

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

/** The gRPC client in a process of its own. One load at a time. */
export class GrpcClientProcess {
  readonly #forked = new Forked<GrpcLoad, GrpcReport>(
    new URL('./grpc-client.js', import.meta.url),
    'the gRPC client',
  );

  /** Returns answers per second; throws unless all were OK. */
  async perSecond(load: GrpcLoad): Promise<number> {
    const { ok, failure, perSecond } = await this.#forked.ask(load);
    if (failure === undefined && ok > 0) return perSecond;
    throw new Error(`gRPC ${load.path}: expected answers only, found ${failure ?? 'none'}`);
  }

  close(): void {
    this.#forked.close();
  }
}
