import t from 'tap';
import { spliced } from '../../src/core/model-edits.ts';

t.test('bytes go, others come in their place, and the rest stays', (t) => {
  const bytes = Buffer.from('abcdef');
  const splices = [
    { start: 0, end: 1, base64: Buffer.from('XYZ').toString('base64') },
    { start: 2, end: 4, base64: '' },
    { start: 6, end: 6, base64: Buffer.from('!').toString('base64') },
  ];
  t.equal(Buffer.from(spliced(bytes, splices)).toString(), 'XYZbef!');
  t.equal(bytes.toString(), 'abcdef');
  t.same(spliced(bytes, []), bytes);
  t.end();
});
