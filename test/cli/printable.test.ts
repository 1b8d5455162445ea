import fc from 'fast-check';
import t from 'tap';
import { createLog } from '../../src/cli/log.ts';
import {
  printable,
  printableData,
  printableJson,
  printableLines,
} from '../../src/cli/printable.ts';

/** What moves a cursor, sets a title, colours, turns the direction of reading or hides. */
const HOSTILE = '\u001b]0;title\u0007\u001b[2J\r\b\u009b31m\u202egnp\u2066\u200b\u2028\ud800\u007f';
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

t.test('what a terminal would act on is shown as its escape', async (t) => {
  t.equal(
    printable(HOSTILE),
    '\\u001b]0;title\\u0007\\u001b[2J\\r\\u0008\\u009b31m\\u202egnp\\u2066\\u200b\\u2028\\ud800\\u007f',
  );
  t.equal(printable('a\nb\tc'), 'a\\nb\\tc');
  t.equal(printableLines('a\nb\tc'), 'a\nb\\tc');
});

t.test('texts of any script are shown as they are', async (t) => {
  for (const text of ['Größe 12 µm', 'میخواهم', '模型', '👩‍🔬', 'e\u0301'])
    t.equal(printable(text), text);
});

t.test('no text keeps anything unprintable', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => !UNPRINTABLE.test(printable(text))),
  );
});

t.test('data keeps its form and its numbers, down to the names of fields', async (t) => {
  const made = new Date(0);
  t.strictSame(printableData({ [HOSTILE]: [HOSTILE, 1, null, undefined, { a: Infinity }], made }), {
    [printable(HOSTILE)]: [printable(HOSTILE), 1, null, undefined, { a: Infinity }],
    made,
  });
});

t.test('JSON says the same in characters that may be shown', async (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
      const json = JSON.stringify({ value, text }, undefined, 2);
      const shown = printableJson(json);
      t.strictSame(JSON.parse(shown), JSON.parse(json));
      return !UNPRINTABLE.test(shown.replaceAll('\n', ''));
    }),
  );
});

t.test('an entry of the log is one printable line, in text and in JSON', async (t) => {
  for (const json of [false, true]) {
    const lines: string[] = [];
    const sink = { write: (line: string) => void lines.push(line), flushed: async () => true };
    const log = createLog(sink, { json, nowMs: () => 0 });
    log({ level: 'error', message: `first\nsecond ${HOSTILE}`, facts: { model: HOSTILE } });
    t.match(lines[0], /^[^\n]*first\\nsecond [^\n]*\n$/);
    t.notMatch(lines[0]?.trimEnd(), UNPRINTABLE);
  }
});
