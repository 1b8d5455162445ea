import type { ServerInterceptingCall, ServerInterceptor } from '@grpc/grpc-js';
import { type CallerNames, checkHost } from '../../core/web-caller.ts';
import { refusing } from './refusing-call.ts';

/** Refuses callers whose `:authority` takes this server for another one, before any of their request is read. */
export function createAuthorityDoor(names: () => CallerNames): ServerInterceptor {
  return (_, call) => {
    try {
      checkHost(call.getHost(), names());
      // It has all that the library asks of what stands in its place.
      return call as ServerInterceptingCall;
    } catch (refusal) {
      return refusing(call, refusal);
    }
  };
}
