import { Socket } from 'node:net';
import { Child } from './child.ts';
import { DESCRIPTORS } from './child-message.ts';

/** The entry of a host's child process. */

// A terminal's interrupt or end reaches the whole group. The gateway decides when this process ends: it drains it. At SIGUSR1
// Node would open its inspector.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const)
  process.on(signal, () => undefined);

new Child(new Socket({ fd: DESCRIPTORS.socket, readable: true, writable: true }));
