import type { LedgerRecord } from '../../src/core/record.ts';
import type { Route } from '../../src/core/route.ts';
import { decide } from '../../src/decide/decide.ts';
import { readLedger, verifyLedger } from '../../src/ledger/file.ts';
import { replay } from '../../src/rollout/history/replay.ts';
import { isSameRoute } from '../../src/rollout/reconcile/route-writer.ts';
import type { RunningGateway } from '../e2e/a-gateway.ts';
import { routeOnRecord } from '../support/route-on-record.ts';
import { until } from '../support/until.ts';
import { Caller, type Operator } from './caller.ts';
import { CONFIGURED } from './place.ts';

export async function recordsOf(ledger: string): Promise<readonly LedgerRecord[]> {
  const records: LedgerRecord[] = [];
  for await (const record of readLedger(ledger)) records.push(record);
  return records;
}

/** What is wrong with a ledger in itself, and with what it should hold: faults in words. */
export async function faultsOfLedger(
  ledger: string,
  acknowledged: readonly string[],
): Promise<readonly string[]> {
  const { broken } = await verifyLedger(ledger);
  if (broken !== undefined) return [`broken: ${broken.problem}`];
  const records = await recordsOf(ledger);
  const { disagreements } = await replay(records, decide);
  const text = JSON.stringify(records);
  return [
    ...disagreements.map(({ index, what }) => `record ${index}: ${what} does not follow`),
    ...acknowledged.filter((each) => !text.includes(`"${each}"`)).map((each) => `lost: ${each}`),
    ...doubled(records),
  ];
}

/** A rollout begins once, enters each step once and ends once; each route has a revision of its own. */
function doubled(records: readonly LedgerRecord[]): readonly string[] {
  const deeds = records.flatMap(({ body }) => {
    if (body.kind === 'rolloutStarted') return [`${body.rollout.id} started`];
    if (body.kind === 'route') return [`route ${body.route.revision}`];
    if (body.kind !== 'decision' || body.decision.action.kind === 'wait') return [];
    const { action } = body.decision;
    const step = action.kind === 'enterStep' ? ` ${action.step}` : '';
    return [`${body.rolloutId} ${action.kind}${step}`];
  });
  const twice = deeds.filter((deed, at) => deeds.indexOf(deed) !== at);
  return twice.map((deed) => `twice: ${deed}`);
}

/** What is wrong with a gateway that was started on the ledger of a killed one: faults in words. */
export async function faultsOfRestart(
  gateway: RunningGateway,
  operator: Operator,
  ledger: string,
): Promise<readonly string[]> {
  const faults: string[] = [];
  const isThere = async (): Promise<boolean> => {
    // A running trial may enter its next step meanwhile: both are looked at until they agree.
    const { route } = routeOnRecord(await recordsOf(ledger), CONFIGURED);
    return isSameRoute({ ...CONFIGURED, ...route }, { ...(await routeOf(operator)), salt: '' });
  };
  await until('the route is as recorded', isThere, 20_000).catch(async () => {
    const { route } = routeOnRecord(await recordsOf(ledger), CONFIGURED);
    const found = JSON.stringify(await routeOf(operator));
    faults.push(`route: on record ${JSON.stringify(route)}, found ${found}`);
  });
  const before = routeOnRecord(await recordsOf(ledger), CONFIGURED);
  const seen = await new Caller(gateway).ask(64);
  const after = routeOnRecord(await recordsOf(ledger), CONFIGURED);
  const allowed = new Set([before, after].flatMap(({ route }) => versionsWithShare(route)));
  for (const version of seen.versions.keys())
    if (!allowed.has(version)) faults.push(`answered by ${version}, which has no share`);
  return [...faults, ...seen.faults];
}

function versionsWithShare({ shares }: Pick<Route, 'shares'>): readonly string[] {
  return shares.filter(({ weightBp }) => weightBp > 0).map(({ version }) => version);
}

async function routeOf(operator: Operator): Promise<Route> {
  return (await operator.get('route')) as Route;
}
