import fc from 'fast-check';
import t from 'tap';
import { type CaptureOptions, createCapture } from '../../../src/capture/rules-1/capture.ts';
import { createFeedbackTokens } from '../../../src/capture/token.ts';
import { HandClock } from '../../../src/core/clock.ts';
import type { LabelledPair } from '../../../src/core/comparison.ts';
import { ServeError } from '../../../src/core/errors.ts';

function aCapture(over: Partial<CaptureOptions> = {}) {
  const clock = new HandClock();
  const pairs: LabelledPair[] = [];
  const counts = { unmatched: 0 };
  const capture = createCapture({
    requestsMax: 3,
    ttlMs: 60_000,
    clock,
    check: (label) => {
      if (typeof label !== 'number') throw new ServeError('invalid_input', 'label: no');
    },
    onLabelled: (pair) => pairs.push(pair),
    onUnmatched: () => {
      counts.unmatched += 1;
    },
    ...over,
  });
  const remember = (id: string): void => capture.remember(id, aCaptured());
  const label = (id: string, value: unknown = 1, issuedMs = clock.wallMs()) =>
    capture.label({ requestId: id, issuedMs }, value);
  return { capture, clock, pairs, counts, remember, label };
}

function aCaptured() {
  const loss = (predicted: number) => (label: unknown) => {
    if (label === 99) throw new ServeError('invalid_input', 'label: too large');
    return label === predicted ? 0 : 1;
  };
  return { attributes: { tone: 'dark' }, stableLoss: loss(1), candidateLoss: loss(2) };
}

t.test('a label joins its pair, whichever comes first', async (t) => {
  const { capture, pairs, remember, label } = aCapture();
  const joined = { attributes: { tone: 'dark' }, stableLoss: 0, candidateLoss: 1 };
  capture.expect('a');
  remember('a');
  t.equal(label('a'), 'joined');
  t.same(pairs, [joined]);
  capture.expect('b');
  t.equal(label('b'), 'waiting');
  remember('b');
  t.same(pairs, [joined, joined]);
});

t.test('an answer is labelled once', async (t) => {
  const { capture, pairs, counts, remember, label } = aCapture();
  capture.expect('a');
  t.equal(label('a'), 'waiting');
  t.equal(label('a'), 'duplicate');
  remember('a');
  t.equal(label('a'), 'duplicate');
  remember('a');
  t.equal(pairs.length, 1);
  t.equal(counts.unmatched, 0);
});

t.test('a label that cannot be one is refused, and the answer may still be labelled', async (t) => {
  const { capture, counts, remember, label } = aCapture();
  capture.expect('a');
  t.throws(() => label('a', 'x'), { code: 'invalid_input' });
  remember('a');
  t.throws(() => label('a', 99), { code: 'invalid_input' });
  t.equal(label('a'), 'joined');
  t.equal(counts.unmatched, 0);
});

t.test('a label for an answer that was not mirrored is nothing unusual', async (t) => {
  const { label, counts } = aCapture();
  t.equal(label('never'), 'notSampled');
  t.equal(counts.unmatched, 0);
});

t.test(
  'labels for mirrored answers without a pair are counted as unmatched, once each',
  async (t) => {
    const { capture, counts, label } = aCapture();
    capture.expect('a');
    capture.abandon('a');
    t.equal(label('a'), 'notComparable');
    t.equal(label('a'), 'duplicate');
    capture.expect('b');
    t.equal(label('b'), 'waiting');
    capture.abandon('b');
    t.equal(counts.unmatched, 2);
    capture.expect('c');
    t.equal(label('c', 99), 'waiting');
    capture.remember('c', aCaptured());
    t.equal(counts.unmatched, 3, 'a label that does not fit its pair');
  },
);

t.test(
  'what is too old or too many is forgotten, and its labels differ from unsampled ones',
  async (t) => {
    const { capture, clock, counts, remember, label } = aCapture();
    const begunMs = clock.wallMs();
    for (const id of ['a', 'b', 'c', 'd']) {
      clock.advance(1);
      capture.expect(id);
      remember(id);
    }
    t.equal(capture.size(), 3);
    t.equal(label('a', 1, begunMs + 5), 'late');
    t.equal(label('x', 1, begunMs - 5), 'notSampled', 'from before mirroring began');
    clock.advance(60_000);
    t.equal(label('x', 1), 'notSampled');
    t.equal(capture.size(), 0);
    capture.expect('e');
    t.equal(label('e'), 'waiting');
    clock.advance(60_000);
    t.equal(label('y'), 'notSampled');
    t.equal(counts.unmatched, 2, 'a label without a pair');
  },
);

t.test('after a restart, answers of the former life count as unmatched', async (t) => {
  const { label, clock } = aCapture({ beganMs: new HandClock().wallMs() - 1_000 });
  t.equal(label('old', 1, clock.wallMs() - 500), 'late');
  t.equal(label('older', 1, clock.wallMs() - 2_000), 'notSampled');
});

const secret = new Uint8Array(32).fill(7);
const claims = { model: 'fashion', version: '2', requestId: 'r-1', issuedMs: 1_700_000_000_000 };

t.test('a token reads as it was issued', async (t) => {
  const tokens = createFeedbackTokens(() => secret);
  t.same(tokens.read(tokens.issue(claims)), claims);
  t.match(tokens.issue(claims), /^[\w-]+\.[\w-]{43}$/);
  fc.assert(
    fc.property(fc.string(), fc.string(), (model, requestId) => {
      const issued = { ...claims, model, requestId };
      return JSON.stringify(tokens.read(tokens.issue(issued))) === JSON.stringify(issued);
    }),
  );
});

t.test('no token can be made or changed without the secret', async (t) => {
  const tokens = createFeedbackTokens(() => secret);
  const token = tokens.issue(claims);
  const other = createFeedbackTokens(() => new Uint8Array(32).fill(8)).issue(claims);
  const [payload, signature] = token.split('.');
  const forged = Buffer.from(JSON.stringify(['fashion', '2', 'r-2', 1])).toString('base64url');
  const bad = [
    other,
    `${forged}.${signature}`,
    `${payload}.`,
    `${payload}`,
    `${token}.x`,
    `${payload}.${signature?.slice(0, -4)}`,
    '',
    'x'.repeat(5_000),
  ];
  for (const text of bad) t.throws(() => tokens.read(text), { code: 'invalid_input' });
  t.throws(() => createFeedbackTokens(() => new Uint8Array(8)), /at least 16 bytes, found 8/);
});
