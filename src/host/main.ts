import { Socket } from 'node:net';
import { Child } from './child.ts';

/** The entry of a host's child process. The gateway's end of the socket is inherited as descriptor 3. */
const SOCKET_FD = 3;

// A terminal's interrupt reaches the whole group. The gateway decides when this process ends: it drains it.
process.on('SIGTERM', () => undefined);
process.on('SIGINT', () => undefined);

new Child(new Socket({ fd: SOCKET_FD, readable: true, writable: true }));
