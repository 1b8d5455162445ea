import { type Peer, ROWS_MAX, WAIT_S } from './peer.ts';
import { pythonCommand } from './python-command.ts';

const RAW = { kind: 'raw', path: '/predict' } as const;

/** Lightning's LitServe. */
export const litserve: Peer = {
  name: 'litserve',
  package: 'litserve',
  how: `one API server, one worker, \`fast_queue\` as it advises above a hundred requests a second; raw bytes; with and without batching (${ROWS_MAX} rows, ${WAIT_S * 1000} ms)`,
  source: 'https://lightning.ai/docs/litserve/features/batching',
  forms: [
    { name: 'raw bytes, batching', call: RAW },
    { name: 'raw bytes', call: RAW },
  ],
  command: async (start) => {
    const form = start.form.name.includes('batching') ? 'batched' : 'plain';
    return pythonCommand('litserve_server.py', form, start);
  },
};
