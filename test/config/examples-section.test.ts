import t from 'tap';
import { examplesSchema } from '../../src/config/examples-section.ts';

const problemOf = (section: object): string =>
  examplesSchema.safeParse(section).error?.issues[0]?.message ?? '';

t.test('without a section scores are kept for a week, and nothing of what was asked', async (t) => {
  const standard = { keep: 'scores', bytesMax: 67_108_864, ageMsMax: 604_800_000, redact: [] };
  t.same(examplesSchema.parse(undefined), standard);
});

t.test('off may be written as programs that write YAML write it', async (t) => {
  t.equal(examplesSchema.parse({ keep: false }).keep, 'off');
  t.equal(examplesSchema.parse({ keep: 'off' }).keep, 'off');
});

t.test('what is beyond the limits is refused', async (t) => {
  t.match(problemOf({ keep: 'all' }), /expected off, scores or bodies/);
  t.match(problemOf({ maxBytes: '1KiB' }), /expected at least 1MiB/);
  t.match(problemOf({ maxAge: '91d' }), /at most 90d/);
  t.match(problemOf({ redact: 'image' }), /a list of inputs/);
  t.match(problemOf({ redact: [''] }), /./);
});
