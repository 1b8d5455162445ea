import type { LedgerRecord, RecordBody } from '../../src/core/record.ts';
import { type Command, isFinal, type Phase, type Rollout } from '../../src/core/rollout.ts';
import type { Route } from '../../src/core/route.ts';
import { begun, promoted, undone } from '../../src/rollout/action/advance.ts';
import { routeFor } from '../../src/rollout/history/route-for.ts';

type Word = {
  readonly route: Pick<Route, 'stable' | 'shares' | 'mirror'>;
  /** The model's latest rollout. */
  readonly rollout: Rollout | undefined;
};

/**
 * Where a model's traffic goes and how its latest rollout stands, as the records say in their order: the last word counts, whether or
 * not it was carried out.
 */
export function routeOnRecord(records: readonly LedgerRecord[], configured: Route): Word {
  const { stable, shares, mirror } = configured;
  const start: Word = { route: { stable, shares, mirror }, rollout: undefined };
  return records.reduce((word, { body }) => wordAfter(word, body, configured), start);
}

function wordAfter(word: Word, body: RecordBody, configured: Route): Word {
  const { model } = configured;
  const { rollout } = word;
  switch (body.kind) {
    case 'route':
      return body.route.model === model ? { rollout, route: ownOf(body.route) } : word;
    case 'rolloutStarted':
      // Nothing moves before it is loaded.
      return body.rollout.spec.model === model ? { ...word, rollout: body.rollout } : word;
    case 'rolloutLoaded':
      if (body.rolloutId !== rollout?.id) return word;
      return wordOf(begun(rollout, body.startedMs), configured);
    case 'decision':
      return body.rolloutId === rollout?.id && body.after !== undefined
        ? wordOf(body.after, configured)
        : word;
    case 'breaker':
      return body.rolloutId === rollout?.id ? wordIn(body.phase, rollout, configured) : word;
    case 'command':
      return body.refused === undefined ? wordOfCommand(word, body.command, configured) : word;
    default:
      return word;
  }
}

function wordOfCommand(word: Word, command: Command, configured: Route): Word {
  const { rollout } = word;
  if (command.kind === 'setRoute' && command.model === configured.model)
    return { rollout, route: ownOf(command) };
  if (command.kind === 'undo' && rollout?.phase.kind === 'promoted')
    return wordOf(undone(rollout, command, 0), configured);
  if (rollout === undefined || isFinal(rollout.phase)) return word;
  if (command.kind === 'undo') return wordOf(undone(rollout, command, 0), configured);
  if (command.kind === 'promote') return wordOf(promoted(rollout, 0), configured);
  if (command.kind !== 'abort') return word;
  return wordIn({ kind: 'aborted', atMs: 0, why: command.reason }, rollout, configured);
}

function wordIn(phase: Phase, rollout: Rollout, configured: Route): Word {
  return wordOf({ ...rollout, phase }, configured);
}

function wordOf(rollout: Rollout, configured: Route): Word {
  return { rollout, route: ownOf(routeFor(rollout, configured)) };
}

function ownOf({ stable, shares, mirror }: Word['route']): Word['route'] {
  return { stable, shares, mirror };
}
