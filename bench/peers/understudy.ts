import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, MODEL, type Peer } from './peer.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** This project's own gateway. */
export const understudy: Peer = {
  name: 'understudy',
  package: undefined,
  how: 'its defaults: rows of several requests run together as soon as the model is free, the model in a process of its own',
  source: 'docs/reference/config.md',
  forms: [
    { name: 'REST in binary', call: { kind: 'rest-binary', model: MODEL } },
    { name: 'gRPC', call: { kind: 'grpc', model: MODEL } },
  ],
  command: async ({ model, folder, httpPort, grpcPort }) => {
    return gatewayCommand({ folder, file: model.file, versions: ['1'], httpPort, grpcPort });
  },
};

export type GatewayOptions = {
  readonly folder: string;
  /** The ONNX file, served as each of the versions. */
  readonly file: string;
  /** The first is the stable one. */
  readonly versions: readonly string[];
  readonly httpPort: number;
  readonly grpcPort: number;
  /** 0: any. */
  readonly adminPort?: number;
};

/** Writes a repository and a configuration of nothing but addresses, and says how a gateway is started with them. */
export async function gatewayCommand(options: GatewayOptions): Promise<Command> {
  const { folder, file, versions, httpPort, grpcPort, adminPort = 0 } = options;
  for (const version of versions) {
    const place = join(folder, 'models', MODEL, version);
    await mkdir(place, { recursive: true });
    await copyFile(file, join(place, 'model.onnx'));
  }
  const config = {
    apiVersion: 'understudy/v1',
    server: {
      http: `127.0.0.1:${httpPort}`,
      grpc: `127.0.0.1:${grpcPort}`,
      admin: `127.0.0.1:${adminPort}`,
    },
    repository: './models',
    ledger: './ledger',
    models: { [MODEL]: versions.length > 1 ? { route: { stable: versions[0] } } : {} },
  };
  const place = join(folder, 'understudy.yaml');
  // JSON is YAML.
  await writeFile(place, JSON.stringify(config, null, 2));
  return { argv: [process.execPath, MAIN, 'serve', '-c', place], environment: {} };
}
