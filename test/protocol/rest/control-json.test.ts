import fc from 'fast-check';
import t from 'tap';
import { createTimeSlicer } from '../../../src/concurrency/time-slicer.ts';
import { ServeError } from '../../../src/core/errors.ts';
import { decodeBase64 } from '../../../src/protocol/rest/base64.ts';
import { LongText, readControlJson } from '../../../src/protocol/rest/control-json.ts';
import { fuzzRuns } from '../../support/fuzz-runs.ts';

const LIMITS = { jsonDepthMax: 100 };
/** Where every step is a slice. */
const slicer = { ...createTimeSlicer(), isOver: () => true };
const read = (text: string | Buffer) => readControlJson(Buffer.from(text), LIMITS, slicer);

/** With the long strings in their place. */
function whole(value: unknown): unknown {
  if (value instanceof LongText) return value.text();
  if (Array.isArray(value)) return value.map(whole);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, whole(each)]));
}

t.test('any JSON object is read as it is, long strings and all', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ minLength: 4_000, maxLength: 6_000 }),
  );
  const object = fc.dictionary(
    fc.string().filter((key) => key !== '__proto__'),
    fc.oneof(fc.jsonValue(), text),
    { maxKeys: 4 },
  );
  await fc.assert(
    fc.asyncProperty(object, async (value) => {
      const json = JSON.stringify(value);
      return JSON.stringify(whole(await read(json))) === JSON.stringify(JSON.parse(json));
    }),
    fuzzRuns(60),
  );
});

t.test('no body, however broken, gets past as anything but a refusal', async () => {
  const good = Buffer.from(
    JSON.stringify({ a: { 'file:1/m': 'QUFB'.repeat(1_100) }, b: [1, [2]] }),
  );
  const cut = fc.tuple(fc.nat(good.byteLength - 1), fc.integer({ min: 0, max: 255 }));
  await fc.assert(
    fc.asyncProperty(fc.array(cut, { minLength: 1, maxLength: 3 }), async (changes) => {
      const bad = Buffer.from(good);
      for (const [at, byte] of changes) bad[at] = byte;
      try {
        return typeof whole(await read(bad)) === 'object';
      } catch (thrown) {
        return thrown instanceof ServeError && thrown.code !== 'internal';
      }
    }),
    fuzzRuns(300),
  );
});

t.test('base64 text is decoded to the bytes that it stands for', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 80_000 }), fc.boolean(), async (bytes, padded) => {
      const text = Buffer.from(bytes).toString('base64');
      const sent = Buffer.from(padded ? text : text.replace(/=+$/, ''));
      return (await decodeBase64(sent, slicer))?.equals(bytes) ?? false;
    }),
    fuzzRuns(40),
  );
});

t.test('text that is no base64 is recognised, wherever it is wrong', async (t) => {
  const long = 'QUFB'.repeat(20_000);
  const wrong = ['A', 'AAAAA', '?AAA', 'AA=A', 'A AA', `${long}?AAA`, `AA==${long}`, `${long}A`];
  for (const text of wrong) {
    t.equal(await decodeBase64(Buffer.from(text), slicer), undefined, text.slice(0, 8));
  }
});

t.test('a body of megabytes is read in slices', async (t) => {
  const text = 'QUFB'.repeat(1_000_000);
  const value = await read(JSON.stringify({ text }));
  let turnsOfOthers = 0;
  let isDone = false;
  const count = (): void => {
    turnsOfOthers += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const found = value['text'];
  const bytes = await decodeBase64(found instanceof LongText ? found.bytes() : Buffer.of(), slicer);
  isDone = true;
  t.equal(bytes?.byteLength, 3_000_000);
  t.ok(turnsOfOthers > 50, `others had ${turnsOfOthers} turns meanwhile`);
});
