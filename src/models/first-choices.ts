import { within } from '../concurrency/within.ts';
import type { Config } from '../config/schema.ts';
import type { Log } from '../core/log.ts';
import type { Route } from '../core/route.ts';
import type { Catalog } from './catalog.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { basisOf } from './initial-routes.ts';

export type FirstChoicesOptions = {
  readonly config: Config;
  readonly catalog: Catalog;
  readonly log: Log;
};

/** For the controller: what the configured routes rest on, and a warning for each that is recorded. */
export function firstChoices({ config, catalog, log }: FirstChoicesOptions) {
  return {
    basisOf: (model: string) =>
      basisOf(catalog.entry(model) ?? { settings: catalog.settings(model) }),
    onFirstChoice: ({ model, stable }: Route): void =>
      log({
        level: 'warn',
        message: `no configured stable version; recorded the newest, ${stable}, as stable in the ledger. A newer version gets traffic through a rollout or a route only. If ${config.ledger} is lost, the next start chooses again: set models.${model}.route.stable`,
        facts: { model, version: stable },
      }),
  };
}

export type LedgerLifetime = {
  /** Where the ledger's folder lies, if that does not outlast a restart; `unknown`: nothing says so. */
  readonly ledgerLifetime: (folder: string) => Promise<string>;
};

/** How long the end of the start waits for the ledger's disk to say what it is; milliseconds. */
const LIFETIME_MS = 2_000;

type Move = {
  readonly entry: CatalogEntry;
  readonly before: Route | undefined;
  readonly after: Route | undefined;
};

/** Logs that a model which follows its newest version has a new one. */
export function logMove({ entry: { model, settings }, before, after }: Move, log: Log): void {
  if (!settings.follows || !before || !after || before.stable === after.stable) return;
  const message = `new stable version ${after.stable} (was ${before.stable}) without proof, as the model follows its newest version`;
  log({ level: 'warn', message, facts: { model, version: after.stable } });
}

/** Says which models follow their newest version, and whether the ledger will remember what was chosen for the others. */
export async function logChoices({
  config,
  catalog,
  log,
  ledgerLifetime,
}: FirstChoicesOptions & LedgerLifetime): Promise<void> {
  const served = catalog.entries().filter(({ packages }) => packages.size > 0);
  for (const { model } of served.filter(({ settings }) => settings.follows)) {
    const message =
      'follows its newest version (configured): each newer one gets all traffic without proof';
    log({ level: 'warn', message, facts: { model } });
  }
  const unwritten = served
    .filter((entry) => basisOf(entry) === 'nothing')
    .map(({ model }) => model);
  const lifetime = unwritten.length > 0 ? await inTime(ledgerLifetime(config.ledger)) : 'unknown';
  if (lifetime === 'unknown') return;
  log({
    level: 'warn',
    message: `ledger: ${config.ledger} is ${lifetime} and lost with it; the next start may choose other versions. Keep it on a volume, or set route.stable for ${unwritten.join(', ')}`,
  });
}

/** A disk that does not answer says nothing. */
async function inTime(lifetime: Promise<string>): Promise<string> {
  return (await within(lifetime, LIFETIME_MS)) ? await lifetime : 'unknown';
}
