import fc from 'fast-check';
import t from 'tap';
import { widthOf } from '../../src/cli/text-width.ts';
import { columnsOf, wrapped } from '../../src/cli/wrapped.ts';

t.test('a long line continues indented, and a short one stays', async (t) => {
  t.equal(wrapped('one two three', 8), 'one two\n  three');
  t.equal(wrapped('  one two three\nfour', 9), '  one two\n    three\nfour');
  t.equal(wrapped('a  b', 80), 'a  b');
});

t.test('a word that is wider than the line stays whole', async (t) => {
  t.equal(
    wrapped('see http://127.0.0.1:8002/api now', 10),
    'see\n  http://127.0.0.1:8002/api\n  now',
  );
});

t.test('no line is wider than asked, and no word is lost', async () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(words, fc.integer({ min: 10, max: 40 }), (list, columns) => {
      const text = wrapped(list.join(' '), columns);
      const isNarrow = text.split('\n').every((line) => widthOf(line) <= columns);
      return isNarrow && text.split(/\s+/).join(' ') === list.join(' ');
    }),
  );
});

t.test('only a terminal has a width, 80 where it does not say', async (t) => {
  t.equal(columnsOf({ isTTY: true, columns: 132 }), 132);
  t.equal(columnsOf({ isTTY: true, columns: 0 }), 80);
  t.equal(columnsOf({ columns: 132 }), Infinity);
});

t.test('colours take no room, and wide characters two columns', async (t) => {
  t.equal(widthOf('\u001b[31mred\u001b[39m'), 3);
  t.equal(widthOf('模型'), 4);
  t.equal(widthOf('e\u0301'), 1);
  t.equal(widthOf('✔ ok'), 4);
});
