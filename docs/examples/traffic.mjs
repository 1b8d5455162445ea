/**
 * Sends the test images that ship to a gateway, over and over, and then says what each image really was:
 *
 *   node docs/examples/traffic.mjs --rate 200 --seconds 120
 *
 * --rate       requests a second (100)
 * --seconds    for how long (60)
 * --url        of the gateway (http://127.0.0.1:8000)
 * --no-labels  sends no labels
 *
 * It needs Node alone, and shows what a client does: a JSON request, attributes as headers, a label for the token that came with
 * the answer. Requests go out at their time whether or not the ones before were answered.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';

const { values: options } = parseArgs({
  options: {
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '60' },
    url: { type: 'string', default: 'http://127.0.0.1:8000' },
    'no-labels': { type: 'boolean', default: false },
  },
});
const rate = Number(options.rate);
const total = Math.round(rate * Number(options.seconds));
const images = readImages(new URL('../../models/_fashion-mnist/', import.meta.url));
const counts = { sent: 0, answered: 0, failed: 0, labelled: 0 };
const firstFailure = { why: '' };

await sendAll();
process.stdout.write(`${JSON.stringify({ ...counts, firstFailure: firstFailure.why })}\n`);
process.exitCode = counts.failed > 0 ? 1 : 0;

async function sendAll() {
  const startedMs = performance.now();
  const waiting = new Set();
  for (; counts.sent < total; counts.sent += 1) {
    const waitMs = startedMs + (counts.sent / rate) * 1000 - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    // 7,919 has no factor in common with 10,000: every image comes once before any comes again, in no order of theirs.
    const image = images[(counts.sent * 7919) % images.length];
    const call = sendOne(image).catch(({ message }) => {
      counts.failed += 1;
      firstFailure.why ||= message;
    });
    waiting.add(call);
    void call.finally(() => waiting.delete(call));
  }
  await Promise.all(waiting);
}

async function sendOne({ pixels, label, tone, garment }) {
  const token = await infer(pixels, { 'x-tone': tone, 'x-garment': garment });
  counts.answered += 1;
  if (token === null || options['no-labels']) return;
  const answer = await fetch(`${options.url}/v1/feedback`, {
    method: 'POST',
    body: JSON.stringify({ token, label }),
  });
  await answer.arrayBuffer();
  if (answer.ok) counts.labelled += 1;
}

/** Gives the token under which a label may come. */
async function infer(pixels, headers) {
  const data = Array.from(pixels, (grey) => Math.round((grey / 255) * 1000) / 1000);
  const answer = await fetch(`${options.url}/v2/models/fashion/infer`, {
    method: 'POST',
    headers,
    body: JSON.stringify({
      inputs: [{ name: 'image', datatype: 'FP32', shape: [1, 1, 28, 28], data }],
    }),
  });
  const body = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${body}`);
  return answer.headers.get('x-understudy-feedback');
}

/** Two IDX files (a header of 16 and of 8 bytes) and a table `index,label,tone,garment`. */
function readImages(folder) {
  const pixels = gunzipSync(readFileSync(new URL('t10k-images-idx3-ubyte.gz', folder)));
  const [, ...rows] = readFileSync(new URL('attributes.csv', folder), 'utf8').trim().split('\n');
  return rows.map((row, index) => {
    const [, label, tone, garment] = row.trim().split(',');
    const start = 16 + index * 784;
    return { pixels: pixels.subarray(start, start + 784), label: Number(label), tone, garment };
  });
}
