/** `frame-receiver.js [ring]`: receives frames from its parent, and answers each with the processor time that it has used so far. */
import { Socket } from 'node:net';
import { systemClock } from '../../src/core/clock.ts';
import { FrameSocket } from '../../src/frame/frame-socket.ts';
import { RingReader, RingWriter } from '../../src/frame/ring.ts';
import { DESCRIPTORS } from './frame-descriptors.ts';

const frames = new FrameSocket(new Socket({ fd: DESCRIPTORS.socket }), {
  clock: systemClock,
  onFrame: () => {
    const { user, system } = process.cpuUsage();
    frames.send({ kind: 'control', body: user + system });
  },
  onError: () => process.exit(),
});
if (process.argv[2] === 'ring') {
  frames.share({
    inbox: new RingReader(DESCRIPTORS.there),
    outbox: new RingWriter(DESCRIPTORS.back),
  });
}
process.on('disconnect', () => process.exit());
