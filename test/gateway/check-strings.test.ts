import t from 'tap';

import { joinByteStrings } from '../../src/core/byte-strings.ts';
import type { Signature } from '../../src/core/tensor.ts';
import { checkRequest } from '../../src/gateway/check-request.ts';
import { checkStringCount, checkStrings, STRINGS_MAX } from '../../src/gateway/check-strings.ts';
import { aRequest, aTensor } from './builders.ts';

function check(...elements: readonly Buffer[]): void {
  const data = joinByteStrings(elements);
  checkStrings(aTensor({ dtype: 'BYTES', shape: [elements.length], data }), "input 'x'");
}

/** Bytes that are no UTF-8: cut, overlong, half a pair, beyond the last character, a continuation by itself. */
const NOT_UTF8 = ['ff', 'c3', 'c328', 'c0af', 'e08080', 'eda080', 'f0808080', 'f4908080', '80'];

const TEXTS = ['', 'é', '\u0800', '\ud7ff\uffff', '\u{10000}\u{10ffff}', '\ufeffb'];

for (const [length, padding] of [
  ['short', ''],
  ['long', 'a'.repeat(100)],
] as const) {
  const padded = (bytes: Buffer) => Buffer.concat([Buffer.from(padding), bytes]);

  t.test(`a ${length} string that is not UTF-8 is refused by its number`, (t) => {
    for (const hex of NOT_UTF8) {
      t.throws(
        () => check(Buffer.from('a'), padded(Buffer.from(hex, 'hex'))),
        {
          code: 'invalid_input',
          message: /element 1 for input 'x'.*UTF-8.*got bytes that are not UTF-8/,
        },
        hex,
      );
    }
    for (const text of TEXTS) t.doesNotThrow(() => check(padded(Buffer.from(text))), text);
    t.end();
  });

  t.test(`a zero byte in a ${length} string is refused with its place`, async (t) => {
    const place = padding.length + 1;
    t.throws(() => check(padded(Buffer.from('a\0b'))), {
      code: 'invalid_input',
      message: `unexpected string element 0 for input 'x'. Expected text in UTF-8 without zero bytes, got a zero byte at its byte ${place}. Send binary data as base64 or as UINT8`,
    });
  });
}

t.test('a request is held against the rule before it reaches a version', async (t) => {
  const data = joinByteStrings([Buffer.of(0xff)]);
  const inputs = [aTensor({ name: 'x', dtype: 'BYTES', shape: [1], data })];
  const signature: Signature = {
    inputs: [{ name: 'x', dtype: 'BYTES', shape: [1] }],
    outputs: [],
  };
  t.throws(() => checkRequest(aRequest({ inputs }), signature, { rowsMax: 8 }), {
    code: 'invalid_input',
  });
});

t.test('more strings than a request may have are refused before they are looked at', async (t) => {
  const data = new Uint8Array(8);
  const half = { dtype: 'BYTES', shape: [1, STRINGS_MAX / 2], data } as const;
  const inputs = [aTensor({ ...half, name: 'x' }), aTensor({ ...half, name: 'y' })];
  t.doesNotThrow(() => checkStringCount(inputs));
  const more = [...inputs, aTensor({ ...half, name: 'z', shape: [1] })];
  t.throws(() => checkStringCount(more), {
    code: 'too_large',
    message: /at most 1048576 elements of BYTES in one request, found 1048577/,
  });
  t.doesNotThrow(() => checkStringCount([aTensor({ shape: [2 ** 30] })]), 'numbers are no strings');
});

t.test('bytes that hold far more strings than were promised are not all looked at', async (t) => {
  const data = Buffer.alloc(4 * (STRINGS_MAX + 1_000));
  t.throws(() => checkStrings(aTensor({ dtype: 'BYTES', shape: [1], data }), "input 'x'"), {
    message: `unexpected number of string elements for input 'x'. Expected 1, got ${STRINGS_MAX + 1}`,
  });
});
