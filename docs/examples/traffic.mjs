/**
 * Sends the test images that ship to a gateway, over and over, and then says what each image really was:
 *
 *   node docs/examples/traffic.mjs --rate 200 --seconds 120
 *
 * --rate       requests a second (100)
 * --seconds    for how long (60)
 * --url        of the gateway (http://127.0.0.1:8000)
 * --in-flight  the most requests at once (256); beyond it a request waits, and counts as late
 * --no-labels  sends no labels
 *
 * It needs Node alone, and shows what a client does: a JSON request, attributes as headers, a label for the token that came with
 * the answer. Requests go out at their time whether or not the ones before were answered. Ctrl-C stops sending, waits for the
 * answers under way and prints the counts; a second one ends it at once. Exit codes: 0 all answered, 1 some failed, 2 wrong
 * options, 4 no gateway answers.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';

/** Longer than the gateway's own deadline: it answers first, and says why. */
const TIMEOUT_MS = 30_000;
/** So many requests in a row that reach nothing: the gateway has gone. */
const UNREACHED_MAX = 100;

const options = readOptions();
const images = readImages(new URL('../../models/_fashion-mnist/', import.meta.url));
const counts = { sent: 0, answered: 0, failed: 0, late: 0, labelled: 0 };
const stop = new AbortController();
let firstFailure = '';
let unreached = 0;

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());
await expectGateway();
await sendAll();
process.stdout.write(`${JSON.stringify({ ...counts, firstFailure })}\n`);
if (unreached >= UNREACHED_MAX) giveUp(4, `${UNREACHED_MAX} requests in a row reached no gateway`);
process.exitCode = counts.failed > 0 ? 1 : 0;

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        rate: { type: 'string', default: '100' },
        seconds: { type: 'string', default: '60' },
        url: { type: 'string', default: 'http://127.0.0.1:8000' },
        'in-flight': { type: 'string', default: '256' },
        'no-labels': { type: 'boolean', default: false },
      },
    });
    const { url } = values;
    if (!/^https?:\/\/[^/]/.test(url) || !URL.canParse(url))
      throw new Error(`--url: expected an address such as http://127.0.0.1:8000, found "${url}"`);
    return {
      rate: positive('rate', values.rate),
      seconds: positive('seconds', values.seconds),
      inFlight: Math.ceil(positive('in-flight', values['in-flight'])),
      url: url.replace(/\/$/, ''),
      labels: !values['no-labels'],
    };
  } catch ({ message }) {
    return giveUp(2, message);
  }
}

function positive(name, text) {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new Error(`--${name}: expected a number above 0, found "${text}"`);
}

function giveUp(code, message) {
  process.stderr.write(`traffic.mjs: ${message}\n`);
  process.exit(code);
}

/** Before anything is sent: there is a gateway, and it knows the model. */
async function expectGateway() {
  const asked = `${options.url}/v2/models/fashion`;
  let found = '';
  try {
    const answer = await fetch(asked, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body = await answer.text();
    found = `${answer.status} ${body.slice(0, 200)}`;
    if (JSON.parse(body).name === 'fashion') return;
  } catch (error) {
    const hint = 'Start one, or name it with --url.';
    if (found === '')
      giveUp(4, `no gateway answers at ${options.url} (${reasonOf(error)}). ${hint}`);
  }
  giveUp(4, `expected a gateway with the model "fashion", found ${found} at ${asked}`);
}

async function sendAll() {
  const total = Math.round(options.rate * options.seconds);
  const startedMs = performance.now();
  const waiting = new Set();
  for (; counts.sent < total && unreached < UNREACHED_MAX; counts.sent += 1) {
    const waitMs = startedMs + (counts.sent / options.rate) * 1000 - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, stop).catch(() => undefined);
    if (waiting.size >= options.inFlight) {
      counts.late += 1;
      await Promise.race(waiting);
    }
    if (stop.signal.aborted) break;
    // 7,919 has no factor in common with 10,000: every image comes once before any comes again, in no order of theirs.
    const image = images[(counts.sent * 7919) % images.length];
    const call = sendOne(image).catch((error) => {
      counts.failed += 1;
      firstFailure ||= reasonOf(error);
    });
    waiting.add(call);
    void call.finally(() => waiting.delete(call));
  }
  await Promise.all(waiting);
}

async function sendOne({ pixels, label, tone, garment }) {
  const token = await infer(pixels, { 'x-tone': tone, 'x-garment': garment });
  counts.answered += 1;
  if (token === null || !options.labels) return;
  const answer = await post('/v1/feedback', { token, label });
  await answer.arrayBuffer();
  if (answer.ok) counts.labelled += 1;
}

/** Gives the token under which a label may come. */
async function infer(pixels, headers) {
  const data = Array.from(pixels, (grey) => Math.round((grey / 255) * 1000) / 1000);
  const inputs = [{ name: 'image', datatype: 'FP32', shape: [1, 1, 28, 28], data }];
  const answer = await post('/v2/models/fashion/infer', { inputs }, headers);
  const body = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${body}`);
  return answer.headers.get('x-understudy-feedback');
}

async function post(path, body, headers = {}) {
  try {
    const answer = await fetch(options.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    unreached = 0;
    return answer;
  } catch (error) {
    unreached += 1;
    throw error;
  }
}

/** What fetch rejects with says why in its cause; a host of several addresses, in the first of theirs. */
function reasonOf({ message, cause }) {
  return cause?.errors?.[0]?.message || cause?.message || message;
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
