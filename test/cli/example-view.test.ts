import t from 'tap';
import { formatExample, formatExamples, saidText } from '../../src/cli/example-view.ts';
import type { ExampleView } from '../../src/console/example-routes.ts';

const SCORES = { name: 'scores', dtype: 'FP32', shape: [1, 3] } as const;
const VIEW: ExampleView = {
  ...{ id: '3f2a90c1d87be604', rolloutId: 'fashion-2-1', requestId: 'q.1' },
  atMs: Date.UTC(2026, 11, 1, 2, 14, 9),
  versions: { stable: '1', candidate: '2' },
  attributes: { tone: 'dark' },
  ...{ difference: 'label', score: 1, distances: { scores: 0.25 }, keptFor: ['largest'] },
  said: {
    stable: {
      kind: 'answer',
      outputs: [{ ...SCORES, top: { row: 0, class: 1, label: 'coat', score: 0.75 } }],
    },
    candidate: { kind: 'failure', code: 'host_lost', message: 'gone' },
  },
  ...{ body: undefined, redacted: [], bodyLeftOut: undefined },
};
const LISTED = { keep: 'scores', bytes: 1_000, bytesMax: 67_108_864, lost: 0 };

t.test('a difference is one line that says what both said, where and when', async (t) => {
  const text = formatExamples({ ...LISTED, examples: [VIEW] }, false);
  t.match(
    text,
    /3f2a90c1d87be604 +12-01 02:14:09Z +label +1\.00 +coat \(0\.75\) +host_lost: gone +tone=dark/,
  );
  t.match(text, /keep: scores, 1 MiB of 64 MiB used$/);
  t.match(
    formatExamples({ ...LISTED, lost: 3, examples: [VIEW] }, true),
    /scores=0\.25[\s\S]*3 could not/,
  );
});

t.test('where there are none the reason is said', async (t) => {
  const none = { ...LISTED, examples: [] };
  t.match(formatExamples({ ...none, bytes: 0 }, false), /kept during a rollout/);
  t.match(formatExamples({ ...none, bytes: 1 }, false), /None .* fits.*--order random/);
  t.match(formatExamples({ ...LISTED, keep: 'off', examples: [] }, false), /keep is off/);
});

t.test('one example is shown whole, and numbers in short', async (t) => {
  t.match(formatExample({ ...VIEW, redacted: ['text'] }), /redacted +text/);
  const first = [1, 2.123456, 'NaN', 4, 5, 6, 7, 8];
  const said = {
    kind: 'answer',
    outputs: [{ name: 'x', dtype: 'FP32', shape: [1, 8], first }],
  } as const;
  t.equal(saidText(said), '[1, 2.123, NaN, 4, 5, 6, 7, 8]');
  t.equal(saidText(said, 12), '[1, 2.12 ...');
});
