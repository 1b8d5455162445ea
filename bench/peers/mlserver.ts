import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serversFolder } from './environment.ts';
import { MODEL, type Peer, ROWS_MAX, WAIT_S } from './peer.ts';

/** Seldon's MLServer with a runtime of ours: its own ones have none for ONNX. */
export const mlserver: Peer = {
  name: 'mlserver',
  package: 'mlserver',
  how: `a custom runtime around the ONNX runtime, in the server's own process (\`parallel_workers: 0\`: there is one core); with and without adaptive batching (${ROWS_MAX} rows, ${WAIT_S * 1000} ms); no access log, no metrics`,
  source: 'https://docs.seldon.ai/mlserver/user-guide/adaptive-batching',
  forms: [
    { name: 'gRPC', call: { kind: 'grpc', model: MODEL } },
    { name: 'gRPC, batching', call: { kind: 'grpc', model: MODEL } },
    { name: 'REST in JSON', call: { kind: 'rest-json', model: MODEL } },
    { name: 'REST in JSON, batching', call: { kind: 'rest-json', model: MODEL } },
  ],
  command: async ({ form, model, folder, httpPort, grpcPort, environment }) => {
    if (environment === undefined) throw new Error('expected an environment');
    const settings = {
      debug: false,
      host: '127.0.0.1',
      http_port: httpPort,
      grpc_port: grpcPort,
      metrics_endpoint: null,
      parallel_workers: 0,
      use_structured_logging: false,
    };
    const batching = { max_batch_size: ROWS_MAX, max_batch_time: WAIT_S };
    const modelSettings = {
      name: MODEL,
      implementation: 'mlserver_runtime.Served',
      parameters: { uri: model.file },
      ...(form.name.includes('batching') ? batching : {}),
    };
    const repository = join(folder, 'repository');
    await mkdir(join(repository, MODEL), { recursive: true });
    await writeFile(join(repository, 'settings.json'), JSON.stringify(settings));
    const file = join(repository, MODEL, 'model-settings.json');
    await writeFile(file, JSON.stringify(modelSettings));
    return {
      argv: [join(environment.folder, 'bin', 'mlserver'), 'start', repository],
      environment: { PYTHONPATH: serversFolder },
    };
  },
};
