import { fork } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { systemClock } from '../../src/core/clock.ts';
import type { Frame } from '../../src/frame/frame.ts';
import { FrameSocket } from '../../src/frame/frame-socket.ts';
import { openRing, RingReader, RingWriter } from '../../src/frame/ring.ts';
import { type Block, type Comparison, processorTimes } from './comparison.ts';
import { DESCRIPTORS } from './frame-descriptors.ts';

const KIB = [16, 64, 256, 600, 2_400] as const;
const IN_FLIGHT = 8;
const FRAMES = 300;

/** A request frame from this process to a child: the processor time of both. */
export async function compareFrames(): Promise<readonly Comparison[]> {
  const ring = aReceiver('ring');
  const socket = aReceiver('socket');
  try {
    const rows: Comparison[] = [];
    for (const kib of KIB) {
      const us = await processorTimes({ ring: ring.pass(kib), socket: socket.pass(kib) }, FRAMES);
      rows.push({
        operation: `a frame of ${kib} KiB to another process through the ring, ${IN_FLIGHT} in flight`,
        handWritten: us.ring,
        library: `over the Unix socket alone: ${us.socket}`,
      });
    }
    return rows;
  } finally {
    for (const receiver of [ring, socket]) receiver.close();
  }
}

type Receiver = { readonly pass: (kib: number) => Block; readonly close: () => void };

function aReceiver(way: 'ring' | 'socket'): Receiver {
  const [there, back] = [openRing(), openRing()];
  if (there === undefined || back === undefined) throw new Error('expected shared memory');
  const child = fork(new URL('./frame-receiver.js', import.meta.url), [way], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe', there, back],
  });
  let usedUs = 0;
  let onAnswer = (): void => undefined;
  const frames = new FrameSocket(child.stdio[DESCRIPTORS.socket] as Socket, {
    clock: systemClock,
    onFrame: (frame) => {
      if (frame.kind === 'control') usedUs = Number(frame.body);
      onAnswer();
    },
    onError: (error) => {
      throw error;
    },
  });
  if (way === 'ring') frames.share({ inbox: new RingReader(back), outbox: new RingWriter(there) });
  const pass = (kib: number): Block => {
    const frame = aFrame(kib);
    return async (times) => {
      const beforeUs = usedUs;
      await new Promise<void>((resolve) => {
        let sent = 0;
        let answered = 0;
        const send = (): void => {
          sent += 1;
          frames.send(frame);
        };
        onAnswer = (): void => {
          answered += 1;
          if (answered === times) resolve();
          else if (sent < times) send();
        };
        while (sent < Math.min(IN_FLIGHT, times)) send();
      });
      return usedUs - beforeUs;
    };
  };
  const close = (): void => {
    frames.destroy();
    child.disconnect();
    for (const fd of [there, back]) closeSync(fd);
  };
  return { pass, close };
}

function aFrame(kib: number): Frame {
  const data = new Uint8Array(kib * 1024).fill(7);
  return {
    kind: 'request',
    correlation: 1,
    plan: [0],
    work: {
      id: 'r',
      traceparent: undefined,
      caller: undefined,
      deadlineMs: systemClock.monotonicMs() + 60_000,
      priority: 0,
      outputs: undefined,
      inputs: [{ name: 'x', dtype: 'UINT8', shape: [1, data.length], data }],
    },
  };
}
