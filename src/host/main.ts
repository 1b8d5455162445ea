import { Socket } from 'node:net';
import { Child } from './child.ts';
import { DESCRIPTORS } from './child-message.ts';

/** The entry of a host's child process. */

// A terminal's interrupt reaches the whole group. The gateway decides when this process ends: it drains it.
process.on('SIGTERM', () => undefined);
process.on('SIGINT', () => undefined);

new Child(new Socket({ fd: DESCRIPTORS.socket, readable: true, writable: true }));
