import { MODEL, type Peer } from './peer.ts';
import { pythonCommand } from './python-command.ts';

/** KServe's Python model server. Its batcher is another program, of its agent in Kubernetes, and not on PyPI. */
export const kserve: Peer = {
  name: 'kserve',
  package: 'kserve',
  how: 'its model server with a custom model around the ONNX runtime, one worker; no access and no latency log; it does not batch',
  source: 'https://kserve.github.io/website/latest/modelserving/v1beta1/custom/custom_model/',
  forms: [
    { name: 'REST in binary', call: { kind: 'rest-binary', model: MODEL } },
    { name: 'gRPC', call: { kind: 'grpc', model: MODEL } },
  ],
  command: async (start) => pythonCommand('kserve_server.py', 'plain', start),
};
