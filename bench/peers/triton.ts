import { copyFile, cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Environment, serversFolder } from './environment.ts';
import { MODEL, type Peer, ROWS_MAX, type Start } from './peer.ts';

/** NVIDIA's Triton: the wheel `nvidia-pytriton` brings the server with its Python backend, and no other. */
export const triton: Peer = {
  name: 'triton',
  package: 'nvidia-pytriton',
  how: 'the server of the wheel with a model of its Python backend, the only one in it, around the ONNX runtime; dynamic batching with its default of no delay; one instance',
  source:
    'https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/batcher.html',
  forms: [
    { name: 'REST in binary', call: { kind: 'rest-binary', model: MODEL } },
    { name: 'gRPC', call: { kind: 'grpc', model: MODEL } },
  ],
  command: async (start) => {
    const { folder, environment, httpPort, grpcPort } = start;
    if (environment === undefined) throw new Error('expected an environment');
    const packages = await packagesIn(environment);
    const server = join(packages, 'pytriton', 'tritonserver');
    await writeRepository(start);
    await writeBackend(server, folder, packages);
    const options = {
      'model-repository': join(folder, 'models'),
      'backend-directory': join(folder, 'backends'),
      'http-address': '127.0.0.1',
      'http-port': httpPort,
      'grpc-address': '127.0.0.1',
      'grpc-port': grpcPort,
      'allow-metrics': false,
    };
    return {
      argv: [
        join(server, 'bin', 'tritonserver'),
        ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
      ],
      environment: {
        // The backend starts the Python that it finds first.
        PATH: `${join(environment.folder, 'bin')}:/usr/local/bin:/usr/bin:/bin`,
        LD_LIBRARY_PATH: join(packages, 'nvidia_pytriton.libs'),
      },
    };
  },
};

async function writeRepository({ model, folder }: Start): Promise<void> {
  const version = join(folder, 'models', MODEL, '1');
  await mkdir(version, { recursive: true });
  await copyFile(join(serversFolder, 'triton_model.py'), join(version, 'model.py'));
  await copyFile(join(serversFolder, 'served_model.py'), join(version, 'served_model.py'));
  const tensor = (name: string, dims: readonly number[]): string =>
    `[ { name: "${name}" data_type: TYPE_FP32 dims: [ ${dims.join(', ')} ] } ]`;
  const lines = [
    `name: "${MODEL}"`,
    'backend: "python"',
    `max_batch_size: ${ROWS_MAX}`,
    `input ${tensor(model.input, model.rowShape)}`,
    `output ${tensor(model.output, model.outputShape)}`,
    'instance_group [ { kind: KIND_CPU count: 1 } ]',
    'dynamic_batching { }',
    `parameters { key: "file" value: { string_value: "${model.file}" } }`,
    '',
  ];
  await writeFile(join(folder, 'models', MODEL, 'config.pbtxt'), lines.join('\n'));
}

/** The backend wants the stub for the version of Python in its folder; the wheel keeps one for each version elsewhere. */
async function writeBackend(server: string, folder: string, packages: string): Promise<void> {
  const backend = join(folder, 'backends', 'python');
  const version = /python(\d+\.\d+)/.exec(packages)?.[1] ?? '';
  await cp(join(server, 'backends', 'python'), backend, { recursive: true });
  await cp(join(server, 'python_backend_stubs', version), backend, { recursive: true });
}

async function packagesIn({ folder }: Environment): Promise<string> {
  const lib = join(folder, 'lib');
  const python = (await readdir(lib)).find((name) => name.startsWith('python'));
  if (python === undefined) throw new Error(`expected a Python in ${lib}, found none`);
  return join(lib, python, 'site-packages');
}
