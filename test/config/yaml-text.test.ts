import t from 'tap';
import { parse } from 'yaml';
import { isPrintable, printableLines } from '../../src/cli/printable.ts';
import { yamlText } from '../../src/config/yaml-text.ts';

const HARD = {
  plain: 'fashion',
  number: 1.5,
  text: '1.5',
  no: 'no',
  'key: with "colon"': [null, true, [], {}],
  lines: 'one\ntwo\n',
  long: 'word '.repeat(100),
  escape: '\u001b[31mred',
  turned: 'safe\u202etxt.exe',
  same: [{ a: 1 }, { a: 1 }],
};

t.test(
  'a result as YAML reads back as the same data, in characters that may be shown',
  async (t) => {
    const text = printableLines(yamlText(HARD, (scalar) => !isPrintable(scalar)));
    t.same(parse(text), HARD);
    t.notOk(['\u001b', '\u202e'].some((found) => text.includes(found)));
    t.match(text, /escape: "\\e\[31mred"|escape: "\\u001b\[31mred"/i);
  },
);

t.test('what is the same twice is written twice', async (t) => {
  const same = { a: 1 };
  t.equal(
    yamlText({ x: same, y: same }, () => false),
    'x:\n  a: 1\ny:\n  a: 1\n',
  );
});
