import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { type CallerNames, checkHost } from '../../core/web-caller.ts';
import { refusing } from './refusing-call.ts';

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
