import type { WebhookEvent } from '../core/webhook.ts';

/** A `postableAlert` of Alertmanager's API v2. */
export type PostableAlert = {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
};

/** An alert that nothing ends is resolved after so long: nothing sends it again. */
const OPEN_MS = 24 * 3_600_000;

/** How long an end for the worse is an alert: it does not end by itself. */
const ENDED_MS = 3_600_000;

/** Alertmanager refuses an alert that ends before it starts. */
const INSTANT_MS = 1;

/**
 * The alerts that an event opens or resolves: paused rollouts, those that ended for the worse, and a ledger that takes no
 * records. An alert is known by its labels, so those say nothing that changes.
 */
export function alertsOf(event: WebhookEvent): readonly PostableAlert[] {
  const { rollout, why } = event;
  const alert = (name: string, severity: string, lastsMs: number): PostableAlert => ({
    labels: {
      alertname: name,
      severity,
      ...(rollout && { model: rollout.model, candidate: rollout.candidate, rollout: rollout.id }),
    },
    annotations: { summary: summaryOf(event), description: why },
    startsAt: new Date(event.atMs - (lastsMs === 0 ? INSTANT_MS : 0)).toISOString(),
    endsAt: new Date(event.atMs + lastsMs).toISOString(),
  });
  const resumed =
    rollout?.from === 'paused' && rollout.phase !== 'paused'
      ? [alert('UnderstudyRolloutPaused', 'warning', 0)]
      : [];
  switch (event.event) {
    case 'paused':
      return [alert('UnderstudyRolloutPaused', 'warning', OPEN_MS)];
    case 'rolledBack':
    case 'undone':
      return [...resumed, alert('UnderstudyRolledBack', 'warning', ENDED_MS)];
    case 'ledgerDegraded':
      return [alert('UnderstudyLedgerDegraded', 'critical', OPEN_MS)];
    case 'ledgerHealthy':
      return [alert('UnderstudyLedgerDegraded', 'critical', 0)];
    default:
      return resumed;
  }
}

function summaryOf({ event, rollout }: WebhookEvent): string {
  if (rollout === undefined) return `The gateway reports ${event}.`;
  const { model, candidate } = rollout;
  return `The rollout of ${model} to version ${candidate}: ${event}.`;
}
