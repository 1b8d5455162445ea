import { join } from 'node:path';
import t from 'tap';
import { formatMarginReplay } from '../../src/cli/evidence-margins.ts';
import { DEFAULT_MARGINS } from '../../src/config/defaults.ts';
import { CAUTION } from '../../src/rollout/evidence/margins.ts';
import { understudy } from '../support/command.ts';
import { projectRoot } from '../support/project-root.ts';

const LEDGER = join(projectRoot, 'test', 'rollout', 'golden', '0.2.0-rules-2');

t.test('of a rollout without a look there is nothing to say', (t) => {
  const text = formatMarginReplay({
    ...{ id: 'fashion-2-1', model: 'fashion', stable: '1', candidate: '2', phase: 'aborted' },
    ...{ caution: CAUTION, startedMs: 0, looks: 0, reasons: [], metrics: [], changed: [] },
    margins: { recorded: DEFAULT_MARGINS, asked: DEFAULT_MARGINS },
    verdict: undefined,
  });
  t.match(text, /No look is on record\.$/);
  t.end();
});

t.test(
  'the command shows both findings and the smallest margin',
  { timeout: 100_000 },
  async (t) => {
    const ask = (...words: readonly string[]) =>
      understudy(['evidence', 'replay', LEDGER, ...words]);
    const [text, json, none, alone] = await Promise.all([
      ask('fashion-2-1', '--margins', 'pairedErrors=0.01%'),
      ask('fashion-2-1', '--margins', '-o', 'json'),
      ask('--margins', 'pairedErrors=1%'),
      ask('fashion-2-1'),
    ]);
    t.match(text, { code: 0, stdout: /Exploration, not a proof/ });
    t.match(
      text.stdout,
      /pairedErrors +1% +✔ no worse after 2 min +0\.01% +\? undecided +0\.0991x\+0\.0991% after 2 min/,
    );
    t.match(
      text.stdout,
      /Verdict at the last look: recorded pass, with these margins inconclusive/,
    );
    t.match(JSON.parse(json.stdout), {
      id: 'fashion-2-1',
      caution: /not a proof/,
      metrics: [{ smallest: { ofMargin: Number } }],
    });
    t.match(none, { code: 2, stderr: /expected a rollout as well/ });
    t.match(alone, { code: 2, stderr: /expected --margins with a rollout/ });
  },
);
