import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import type { RolloutReport } from '../../src/core/messages.ts';
import { seededRandom } from '../../src/core/random.ts';
import { LiveWatch } from '../../src/mirror/live-watch.ts';
import { answered, aRequest, DRAWN } from './builders.ts';

function aWatch() {
  const reports: RolloutReport[] = [];
  const clock = new HandClock();
  const watch = new LiveWatch({
    readMirror: () => undefined,
    shadowHost: () => undefined,
    clock,
    random: seededRandom(1),
    limits: {
      concurrency: 1,
      queueRequestsMax: 1,
      queueBytesMax: 1,
      bytesMax: 1,
      deadlineMs: 1,
      lateMs: 1_000,
    },
    liveInFlight: () => 0,
    report: (report) => reports.push(report),
    knownInputs: () => undefined,
    issueToken: ({ requestId, issuedMs }) => `${requestId} at ${issuedMs}`,
    onInternalError: () => undefined,
  });
  const send = (): void => {
    for (const tap of watch.taps) tap(aRequest('r1'), DRAWN)?.(answered());
  };
  return { watch, reports, send, clock };
}

t.test('live requests are reported while a rollout of their model is open', async (t) => {
  const { watch, reports, send } = aWatch();
  send();
  t.same(reports, []);
  watch.obey({ kind: 'rollout', model: 'fashion', rolloutId: 'r', isOpen: true });
  send();
  watch.obey({ kind: 'rollout', model: 'fashion', rolloutId: 'r', isOpen: false });
  send();
  t.same(
    reports.map(({ kind }) => kind),
    ['assigned', 'ended'],
  );
});

t.test('a request that is under way as its rollout closes still ends', async (t) => {
  const { watch, reports } = aWatch();
  watch.obey({ kind: 'rollout', model: 'fashion', rolloutId: 'r', isOpen: true });
  const ends = watch.taps.map((tap) => tap(aRequest('r1'), DRAWN));
  watch.obey({ kind: 'rollout', model: 'fashion', rolloutId: 'r', isOpen: false });
  for (const end of ends) end?.(answered());
  t.equal(reports.at(-1)?.kind, 'ended');
});

t.test('a token says which answer it is for and when that was given', async (t) => {
  const { watch, clock } = aWatch();
  const answer = { model: 'fashion', version: '2', id: 'r1' };
  t.equal(watch.tokenFor(answer), undefined);
  watch.obey({ kind: 'rollout', model: 'fashion', rolloutId: 'r', isOpen: true });
  t.equal(watch.tokenFor(answer), `r1 at ${clock.wallMs()}`);
});
