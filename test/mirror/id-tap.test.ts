import t from 'tap';
import type { RolloutReport } from '../../src/core/messages.ts';
import { createIdTap } from '../../src/mirror/id-tap.ts';
import { anAssignment, aRequest } from './builders.ts';

t.test('an id is reported with its caller while a rollout is open, wherever it went', async (t) => {
  const reports: RolloutReport[] = [];
  let isOpen = false;
  const tap = createIdTap({ isWatched: () => isOpen, report: (report) => reports.push(report) });
  tap(aRequest('r1', { sentId: 'early' }), anAssignment());
  isOpen = true;
  tap(aRequest('r2', { sentId: 'mine', caller: 'key:mine' }), anAssignment({ by: 'pin' }));
  tap(aRequest('r3'), anAssignment());
  t.strictSame(reports, [
    { kind: 'named', model: 'fashion', requestId: 'r2', sentId: 'mine', caller: 'key:mine' },
  ]);
});
