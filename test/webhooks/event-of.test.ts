import t from 'tap';
import type { LedgerRecord, RecordBody } from '../../src/core/record.ts';
import type { Command, Phase } from '../../src/core/rollout.ts';
import { eventOf } from '../../src/webhooks/event-of.ts';
import { aRollout, paused, progressing } from '../rollout/builders.ts';

function aRecord(body: RecordBody): LedgerRecord {
  return { index: 4, atMs: 9, body, previous: '0'.repeat(64), hash: 'ab'.repeat(32) };
}

const loaded: RecordBody = { kind: 'rolloutLoaded', rolloutId: 'fashion-2-1', startedMs: 1 };

const command = (command: Command, refused?: string): RecordBody => ({
  kind: 'command',
  command,
  refused,
});

function between(before: Phase | undefined, after: Phase, body: RecordBody = loaded) {
  const change = {
    record: aRecord(body),
    before: before && aRollout({ phase: before }),
    after: aRollout({ phase: after }),
  };
  return eventOf(change, (_, step) => `task ${step}`);
}

const rolledBack = (decidedBy: readonly string[]): Phase => ({
  kind: 'rolledBack',
  atMs: 1,
  why: 'worse',
  decidedBy,
});

t.test('each phase that begins is an event, and each step', async (t) => {
  const holdback = { kind: 'holdback', step: 5, sinceMs: 0, untilMs: 9 } as const;
  const expected = [
    [undefined, { kind: 'loading', sinceMs: 0 }, 'loading'],
    [{ kind: 'loading', sinceMs: 0 }, progressing(0), 'progressing'],
    [progressing(0), progressing(1), 'progressing'],
    [progressing(1), progressing(1), undefined],
    [progressing(1), paused(1), 'paused'],
    [paused(1), progressing(1), 'progressing'],
    [progressing(5), holdback, 'holdback'],
    [holdback, { ...holdback, part: { number: 2, sinceMs: 3 } }, undefined],
    [holdback, { kind: 'promoted', atMs: 1 }, 'promoted'],
    [progressing(1), rolledBack(['errors']), 'rolledBack'],
    [holdback, rolledBack(['undo']), 'undone'],
    [progressing(1), { kind: 'aborted', atMs: 1, why: 'x' }, 'aborted'],
  ] as const;
  for (const [before, after, event] of expected)
    t.equal(between(before, after)?.event, event, `${before?.kind} -> ${after.kind}`);
});

t.test('an event names its record, its rollout, the step and why', async (t) => {
  t.same(between(progressing(0), paused(1, 'no traffic')), {
    id: `msg_${'ab'.repeat(16)}`,
    event: 'paused',
    atMs: 9,
    record: 4,
    why: 'no traffic',
    model: 'fashion',
    rollout: {
      id: 'fashion-2-1',
      model: 'fashion',
      stable: '1',
      candidate: '2',
      phase: 'paused',
      from: 'progressing',
      step: { number: 2, of: 6, task: 'task 1' },
      decidedBy: [],
    },
  });
});

t.test('commands of operators are events, where they are not refused', async (t) => {
  const reload = {
    kind: 'reloadConfig',
    actor: 'SIGHUP',
    reason: 'edited',
    changes: [],
    changesOmitted: 0,
    routes: [],
  } as const;
  const setRoute = {
    kind: 'setRoute',
    model: 'fashion',
    revision: 1,
    stable: '3',
    shares: [],
    mirror: undefined,
  } as const;
  const told = (body: RecordBody) =>
    eventOf({ record: aRecord(body), before: undefined, after: undefined }, () => '');
  t.match(told(command(reload)), { event: 'configReloaded', why: 'SIGHUP: edited' });
  t.match(told(command(setRoute)), { event: 'routeSet', model: 'fashion', why: 'stable is 3' });
  t.equal(told(command(setRoute, 'a rollout runs')), undefined);
  const extend = { kind: 'extend', model: 'fashion', reason: 'more', forMs: 1 } as const;
  t.match(between(paused(1), paused(1), command(extend)), { event: 'extended', why: 'more' });
});
