import fc from 'fast-check';
import t from 'tap';
import { traceparentOf } from '../../src/protocol/traceparent.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const VALID = `00-${TRACE}-${SPAN}-01`;
const of = (value: string | undefined) => traceparentOf(() => value);

t.test('a valid traceparent is kept as it is', async (t) => {
  for (const flags of ['00', '01', 'ff']) {
    t.equal(of(`00-${TRACE}-${SPAN}-${flags}`), `00-${TRACE}-${SPAN}-${flags}`);
  }
});

t.test('of a later version what is known is kept, as version 00', async (t) => {
  t.equal(of(`01-${TRACE}-${SPAN}-03`), VALID);
  t.equal(of(`cc-${TRACE}-${SPAN}-02-what-comes.next`), `00-${TRACE}-${SPAN}-00`);
});

t.test('what is no traceparent is dropped', async (t) => {
  const invalid = [
    undefined,
    '',
    `${VALID}-more`,
    `${VALID}, ${VALID}`,
    `01-${TRACE}-${SPAN}-01-a, 01-${TRACE}-${SPAN}-01-a`,
    `01-${TRACE}-${SPAN}-01x`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}`,
    ` ${VALID}`,
    `${VALID}\n`,
    `01-${TRACE}-${SPAN}-01-${'x'.repeat(250)}`,
  ];
  for (const value of invalid) t.equal(of(value), undefined, JSON.stringify(value));
});

t.test('what is kept is valid and of one length', async () => {
  const hex = (chars: number) =>
    fc.string({ unit: fc.constantFrom(...'0f1aG'), minLength: chars, maxLength: chars });
  const near = fc
    .tuple(hex(2), hex(32), hex(16), hex(2), fc.constantFrom('', '-', '-x', ' '))
    .map(([version, trace, span, flags, rest]) => `${version}-${trace}-${span}-${flags}${rest}`);
  fc.assert(
    fc.property(fc.oneof(near, fc.string({ maxLength: 300 })), (value) => {
      const kept = of(value);
      return kept === undefined || (/^00-[0-9a-f-]{52}$/.test(kept) && of(kept) === kept);
    }),
  );
});
