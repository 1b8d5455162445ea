import type { Metadata, ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Asker } from '../../core/entrance.ts';
import { ServeError } from '../../core/errors.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { type Codec, HEALTH, INFERENCE } from './definitions.ts';
import type { OpenStreams } from './open-streams.ts';
import { shuttingDown, statusOf } from './status.ts';
import { decode, type ReportError, unary } from './unary.ts';

type Status = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
type HealthRequest = { readonly service: string };

export type HealthOptions = {
  readonly methods: Readonly<Record<'Check' | 'Watch', Codec>>;
  readonly gateway: Pick<Gateway, 'serverReadiness' | 'modelReadiness'>;
  readonly open: Pick<OpenStreams, 'enter'>;
  /** Who asks for the health of a model. @throws ServeError, or rejects with it, for one that may ask for none. */
  readonly ask: (metadata: Metadata) => Asker | Promise<Asker>;
  readonly onInternalError: ReportError;
  /** Interval at which watchers get a change, in milliseconds. */
  readonly pollMs: number;
};

/**
 * `grpc.health.v1.Health`. No name, and those of the services, ask whether the server is ready; the name of a model asks whether
 * that model is, which only its callers may know. Readiness is read when it is asked for; for those who watch, at a fixed pace.
 */
export function createHealthCalls(options: HealthOptions): UntypedServiceImplementation {
  const { methods, gateway, ask, onInternalError } = options;
  return {
    Check: unary<HealthRequest>({
      codec: methods.Check,
      run: async ({ service }, metadata) => {
        if (!SERVICES.includes(service)) (await ask(metadata)).check('infer', service);
        const status = statusOfService(gateway, service);
        if (status !== 'SERVICE_UNKNOWN') return { status };
        throw new ServeError(
          'model_not_found',
          `unknown service '${service}': expected '', '${INFERENCE}' or a model, found neither`,
        );
      },
      onInternalError,
    }),
    Watch: createWatch(options),
  };
}

type WatchCall = ServerWritableStream<Buffer, Buffer>;

function createWatch(options: HealthOptions) {
  const { methods, ask } = options;
  return async (call: WatchCall): Promise<void> => {
    try {
      const { service } = decode<HealthRequest>(methods.Watch, call.request);
      if (!SERVICES.includes(service)) (await ask(call.metadata)).check('infer', service);
      if (!call.cancelled) watchService(call, service, options);
    } catch (thrown) {
      endWith(call, thrown);
    }
  };
}

function watchService(
  call: WatchCall,
  service: string,
  { methods, gateway, open, pollMs }: HealthOptions,
): void {
  let sent: Status | undefined;
  const update = (): void => {
    // A watcher that does not read gets the latest status once there is room for it.
    if (call.writableNeedDrain) return;
    const status = statusOfService(gateway, service);
    if (status === sent) return;
    sent = status;
    call.write(methods.Watch.responseSerialize({ status }));
  };
  const timer = setInterval(update, pollMs);
  timer.unref();
  const leave = open.enter(() => {
    update();
    endWith(call, shuttingDown());
  });
  call.once('cancelled', () => {
    clearInterval(timer);
    leave();
  });
  update();
}

function endWith(call: WatchCall, error: unknown): void {
  const { code, details, metadata } = statusOf(error);
  call.emit('error', { code, details, metadata, message: details });
}

const SERVICES = ['', INFERENCE, HEALTH];

function statusOfService(gateway: HealthOptions['gateway'], service: string): Status {
  if (SERVICES.includes(service)) return named(gateway.serverReadiness().ready);
  try {
    return named(gateway.modelReadiness(service).ready);
  } catch {
    return 'SERVICE_UNKNOWN';
  }
}

function named(ready: boolean): Status {
  return ready ? 'SERVING' : 'NOT_SERVING';
}
