import { type AdminOptions, createAdminServer } from '../../src/console/admin.ts';
import { ServeError } from '../../src/core/errors.ts';
import { HEALTHY } from '../../src/ledger/ledger.ts';
import type { Decide } from '../../src/rollout/action/judge.ts';
import { aSpec, type World } from '../rollout/builders.ts';

/** The admin server of a gateway in this world. */
export async function anAdmin(world: World, fields: Partial<AdminOptions> = {}, decide?: Decide) {
  const { controller, ledger } = world.boot([], decide);
  await world.resume(controller);
  const faults: string[] = [];
  const { app, listen } = createAdminServer({
    controller,
    specFrom: async (model, body) => {
      const { candidate } = body as { candidate?: string };
      if (candidate === undefined)
        throw new ServeError('invalid_input', 'candidate: expected a version');
      return aSpec({ model, candidate });
    },
    requestsPerSecond: () => 50,
    models: async () => ({ models: [{ model: 'fashion', versions: ['1', '2'] }], isFresh: true }),
    reload: async (model) => ({ model }),
    lookAt: async () => undefined,
    reloadConfig: async () => ({ changes: [], notes: [], dryRun: false }),
    label: () => 'joined',
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
    ledger: () => ({ ...HEALTHY, unrecorded: 0 }),
    ready: () => true,
    onInternalError: (operation, error) => faults.push(`${operation}: ${String(error)}`),
    ...fields,
  });
  return { app, listen, controller, ledger, faults };
}
