import { type Peer, ROWS_MAX, WAIT_S } from './peer.ts';
import { pythonCommand } from './python-command.ts';

const RAW = { kind: 'raw', path: '/infer' } as const;
const HIGH_THROUGHPUT = { RAY_SERVE_ENABLE_HA_PROXY: '1', RAY_SERVE_THROUGHPUT_OPTIMIZED: '1' };

/** Ray Serve. Its cluster's own processes share the one core, as they do wherever a node is small. */
export const rayServe: Peer = {
  name: 'ray-serve',
  package: 'ray',
  how: `one replica on a local cluster; raw bytes; \`serve.batch\` (${ROWS_MAX} rows, ${WAIT_S * 1000} ms) or none; its high-throughput mode (HAProxy in front), and the mode that it starts in by itself`,
  source: 'https://docs.ray.io/en/master/kuberay/user-guides/serve-high-throughput.html',
  forms: [
    { name: 'raw bytes, high throughput', call: RAW },
    { name: 'raw bytes, high throughput, batching', call: RAW },
    { name: 'raw bytes', call: RAW },
  ],
  command: async (start) => {
    const form = start.form.name.includes('batching') ? 'batched' : 'plain';
    const { argv, environment } = pythonCommand('ray_serve_server.py', form, start);
    const mode = start.form.name.includes('high throughput') ? HIGH_THROUGHPUT : {};
    const own = { RAY_TMPDIR: start.folder, RAY_USAGE_STATS_ENABLED: '0' };
    return { argv, environment: { ...environment, ...mode, ...own } };
  },
};
