import { join } from 'node:path';
import { serversFolder } from './environment.ts';
import { type Peer, ROWS_MAX } from './peer.ts';

/** BentoML. Its batching takes JSON or its own client's format; raw bytes go past it. */
export const bentoml: Peer = {
  name: 'bentoml',
  package: 'bentoml',
  how: `one worker; JSON with its adaptive batching (${ROWS_MAX} rows, the waiting left to it), and raw bytes through an ASGI app of the service, without; no access log, no metrics`,
  source: 'https://docs.bentoml.com/en/latest/get-started/adaptive-batching.html',
  forms: [
    { name: 'raw bytes', call: { kind: 'raw', path: '/raw/infer' } },
    { name: 'JSON, batching', call: { kind: 'json', path: '/infer' } },
  ],
  command: async ({ model, environment, httpPort }) => {
    if (environment === undefined) throw new Error('expected an environment');
    const bind = ['--host', '127.0.0.1', '--port', String(httpPort)];
    return {
      argv: [
        join(environment.folder, 'bin', 'bentoml'),
        'serve',
        'bentoml_server:Served',
        '--working-dir',
        serversFolder,
        ...bind,
      ],
      environment: {
        PYTHONPATH: serversFolder,
        PEER_MODEL: model.file,
        PEER_ROWS_MAX: String(ROWS_MAX),
        BENTOML_DO_NOT_TRACK: 'True',
      },
    };
  },
};
