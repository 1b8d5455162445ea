import type { Sender } from '../nouns/sender.ts';
import type { Wire } from '../nouns/wire.ts';
import { GrpcSender } from './grpc-sender.ts';
import { GrpcStreamSender } from './grpc-stream-sender.ts';
import { HttpSender } from './http-sender.ts';

/** A sender for a wire. It has no connection yet: `open` makes them. */
export function senderFor(wire: Wire): Sender {
  switch (wire.kind) {
    case 'http':
      return new HttpSender(wire.address);
    case 'grpc':
      return new GrpcSender(wire);
    case 'grpc-stream':
      return new GrpcStreamSender(wire);
  }
}
