import {
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
} from '@grpc/grpc-js';
import { type CallerNames, checkHost } from '../../core/web-caller.ts';
import { statusOf } from './status.ts';

/** Refuses callers whose `:authority` takes this server for another one, before any of their request is read. */
export function createAuthorityDoor(names: () => CallerNames): ServerInterceptor {
  return (_, call) => {
    try {
      checkHost(call.getHost(), names());
      return new ServerInterceptingCall(call);
    } catch (refusal) {
      return refusing(call, refusal);
    }
  };
}

type Call = ConstructorParameters<typeof ServerInterceptingCall>[0];

/** A call that ends with a refusal as soon as it begins. */
function refusing(call: Call, refusal: unknown): ServerInterceptingCall {
  const listener = new ServerListenerBuilder()
    .withOnReceiveMetadata(() => call.sendStatus(statusOf(refusal)))
    .build();
  return new ServerInterceptingCall(call, { start: (next) => next(listener) });
}
