/**
 * The gateway as `serve` starts it, in a process that watches the event loop of its I/O thread. Started with `fork` and the
 * configuration file.
 */

import { startApp } from '../src/app.ts';
import { readEnvironment } from '../src/config/environment.ts';
import { loadConfig } from '../src/config/load.ts';
import { collectRarely } from '../src/process/collect-rarely.ts';
import { obeyGapsOrders } from './loop-gaps.ts';

collectRarely();
const app = await startApp({
  config: await loadConfig(process.argv[2]),
  log: () => undefined,
  feedbackSecret: undefined,
  environment: readEnvironment().runtime,
});
await app.started;
obeyGapsOrders(app.httpPort);
