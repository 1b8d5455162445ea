/** A thread that opens connections and counts those that are there, while the thread of the server does something else. */
import { connect } from 'node:net';
import { workerData } from 'node:worker_threads';

const { port, connections, connected } = workerData as {
  readonly port: number;
  readonly connections: number;
  readonly connected: Int32Array;
};

for (let count = 0; count < connections; count += 1) {
  const socket = connect(port, '127.0.0.1', () => {
    Atomics.add(connected, 0, 1);
    Atomics.notify(connected, 0);
  });
  socket.on('error', () => {});
}
