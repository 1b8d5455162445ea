import { within } from '../concurrency/within.ts';
import { type OtlpVariables, otlpSettings } from '../config/otlp.ts';
import { programVersion } from '../config/program.ts';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { freshRandom } from '../core/random.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Otel, OtelOptions } from '../telemetry/otel/open-otel.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type Release, releasing } from './release.ts';

/** How long what waits for the collector may hold up the end. */
const FLUSH_MS_MAX = 3_000;

export type OtelParts = {
  readonly config: Pick<Config, 'telemetry'>;
  /** The OTEL_* variables; by default none. */
  readonly otlp?: OtlpVariables | undefined;
  readonly log: Log;
  /** Not called before it is there. */
  readonly rollouts: OtelOptions['rollouts'];
  readonly telemetry: () => Pick<Telemetry, 'collect' | 'onExport'>;
};

/** Opens OpenTelemetry where it is switched on, and loads it only then. It is the last to be released. */
export async function openOtel(parts: OtelParts, release: Release): Promise<Otel | undefined> {
  const { config, otlp, log, rollouts, telemetry } = parts;
  const settings = otlpSettings(config.telemetry.otlp, otlp);
  if (settings === undefined) return undefined;
  const otel = await loadOtel({
    settings,
    version: programVersion,
    clock: systemClock,
    random: freshRandom(),
    log,
    rollouts,
    collectMetrics: () => telemetry().collect(),
    onExport: (...event) => telemetry().onExport(...event),
  });
  if (otel === undefined) return undefined;
  release.push(
    releasing('traces, metrics and logs for the collector', () =>
      within(otel.close(), FLUSH_MS_MAX),
    ),
  );
  return otel;
}

/** What cannot be sent is no reason not to serve. */
async function loadOtel(options: OtelOptions): Promise<Otel | undefined> {
  try {
    const { openOtel: open } = await import('../telemetry/otel/open-otel.ts');
    return await open(options);
  } catch (error) {
    const message = `OTLP: nothing is sent: ${messageOf(error)}`;
    options.log({ level: 'error', message });
    return undefined;
  }
}

/** The ledger, whose records are reported once they are written. */
export function reporting(ledger: Ledger, otel: Pick<Otel, 'onRecord'> | undefined): Ledger {
  if (otel === undefined) return ledger;
  return {
    append: async (...given) => {
      const record = await ledger.append(...given);
      otel.onRecord(record.body);
      return record;
    },
    health: () => ledger.health(),
    head: () => ledger.head(),
    lastMs: () => ledger.lastMs(),
    read: (from) => ledger.read(from),
    isCheckpointDue: () => ledger.isCheckpointDue(),
    size: () => ledger.size(),
    close: () => ledger.close(),
  };
}
