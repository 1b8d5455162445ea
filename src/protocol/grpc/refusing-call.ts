import { ServerInterceptingCall, ServerListenerBuilder } from '@grpc/grpc-js';
import { statusOf } from './status.ts';

type Call = ConstructorParameters<typeof ServerInterceptingCall>[0];

/** A call that ends with a refusal as soon as it begins. */
export function refusing(call: Call, refusal: unknown): ServerInterceptingCall {
  const listener = new ServerListenerBuilder()
    .withOnReceiveMetadata(() => call.sendStatus(statusOf(refusal)))
    .build();
  return new ServerInterceptingCall(call, { start: (next) => next(listener) });
}
