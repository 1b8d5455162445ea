/**
 * The demo's users, in a process of their own: sends test images to the gateway as live traffic and, a little later, says
 * what each image really was. Started with `fork`; takes one order, answers with one report, and ends.
 */
import { SerialQueue } from '../concurrency/serial-queue.ts';
import { systemClock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { Histogram } from '../load/engine/histogram.ts';
import { runLoad } from '../load/engine/run-load.ts';
import { poisson } from '../load/nouns/arrivals.ts';
import type { LatencySummary, LoadReport } from '../load/nouns/load-report.ts';
import type { Answer } from '../load/nouns/sender.ts';
import type { Address } from '../load/nouns/wire.ts';
import { headerOf } from '../load/wire/http-answer.ts';
import { HttpConnection, postBytes } from '../load/wire/http-connection.ts';
import { HttpSender } from '../load/wire/http-sender.ts';
import { ImagePasses } from './image-passes.ts';
import { IMAGE_SIDE, imageTensorBytes, type LabelledImage, readImages } from './images.ts';

/** What the demo asks of its traffic. */
export type TrafficOrder = {
  readonly port: number;
  readonly model: string;
  readonly imagesFolder: string;
  readonly perSecond: number;
  readonly durationMs: number;
  readonly deadlineMs: number;
  /** Fixes the order in which the images are drawn. */
  readonly seed: number;
  /** How long after its answer a label arrives; undefined: no labels are sent. */
  readonly labelDelayMs: number | undefined;
};

/** What the traffic process reports to the demo. */
export type TrafficNews =
  | { readonly kind: 'started' }
  | {
      readonly kind: 'ended';
      readonly report: LoadReport;
      /** Latencies from the intended start, by the phase that was marked when the answer came. */
      readonly phases: Readonly<Record<string, LatencySummary>>;
      readonly labelsSent: number;
      readonly labelsRefused: number;
    }
  | { readonly kind: 'failed'; readonly message: string };

/** A request that is not answered by so long after its deadline never will be. */
const PATIENCE_MS = 5_000;

const stop = new AbortController();

/** Latencies by phase; the demo marks where one phase ends and the next begins. */
const phases = new Map<string, Histogram>();
let phase = 'start';

process.on('message', (message: TrafficOrder | 'stop' | { mark: string }) => {
  if (message === 'stop') stop.abort();
  else if ('mark' in message) phase = message.mark;
  else void obey(message);
});
// The demo is gone: there is no reader of a report.
process.on('disconnect', () => stop.abort());

async function obey(order: TrafficOrder): Promise<void> {
  try {
    send(await sendImages(order));
  } catch (error) {
    send({ kind: 'failed', message: messageOf(error) });
  }
  if (process.connected) process.disconnect();
}

function send(news: TrafficNews): void {
  // The demo may end at any moment.
  if (process.connected) process.send?.(news, () => undefined);
}

async function sendImages(order: TrafficOrder): Promise<TrafficNews> {
  const images = new ImagePasses(await readImages(order.imagesFolder), seededRandom(order.seed));
  const labels = await LabelPost.open(order.port);
  const sent: LabelledImage[] = [];
  const report = await runLoad(
    {
      sender: new HttpSender(addressOf(order.port)),
      next: () => {
        if (sent.length === 0) send({ kind: 'started' });
        const image = images.next();
        if (!image) return undefined;
        sent.push(image);
        return requestFor(image, order);
      },
      arrivals: poisson(order.perSecond),
      inFlightMax: 128,
      durationMs: order.durationMs,
      warmupMs: 0,
      deadlineMs: order.deadlineMs,
      timeoutMs: order.deadlineMs + PATIENCE_MS,
      seed: order.seed,
      signal: stop.signal,
      onAnswer: (answer, { place, latencyMs }) => {
        latenciesOf(phase).add(latencyMs);
        labels.plan(answer, sent[place], order.labelDelayMs);
      },
    },
    { clock: systemClock },
  );
  await labels.close();
  return {
    kind: 'ended',
    report,
    phases: Object.fromEntries([...phases].map(([name, latencies]) => [name, latencies.summary()])),
    labelsSent: labels.sent,
    labelsRefused: labels.refused,
  };
}

function addressOf(port: number): Address {
  return { host: '127.0.0.1', port, tls: false };
}

function latenciesOf(name: string): Histogram {
  const latencies = phases.get(name) ?? new Histogram();
  phases.set(name, latencies);
  return latencies;
}

function requestFor(image: LabelledImage, order: TrafficOrder): Uint8Array {
  const tensor = imageTensorBytes(image);
  const head = Buffer.from(
    JSON.stringify({
      inputs: [
        {
          name: 'image',
          datatype: 'FP32',
          shape: [1, 1, IMAGE_SIDE, IMAGE_SIDE],
          parameters: { binary_data_size: tensor.byteLength },
        },
      ],
      parameters: { binary_data_output: true },
    }),
  );
  const attributes = Object.entries(image.attributes).map(([name, value]) => [`x-${name}`, value]);
  return postBytes({
    host: `127.0.0.1:${order.port}`,
    path: `/v2/models/${order.model}/infer`,
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(head.length),
      ...Object.fromEntries(attributes),
    },
    body: Buffer.concat([head, tensor]),
  });
}

/** Sends labels one after another on a connection of its own, each some time after its answer. */
class LabelPost {
  readonly #connection: HttpConnection;
  readonly #host: string;
  readonly #planned = new Set<NodeJS.Timeout>();
  readonly #queue = new SerialQueue();
  sent = 0;
  refused = 0;

  private constructor(connection: HttpConnection, host: string) {
    this.#connection = connection;
    this.#host = host;
  }

  static async open(port: number): Promise<LabelPost> {
    return new LabelPost(await HttpConnection.open(addressOf(port)), `127.0.0.1:${port}`);
  }

  plan(answer: Answer, image: LabelledImage | undefined, delayMs: number | undefined): void {
    const token = headerOf(answer.head, 'x-understudy-feedback');
    if (!token || !image || delayMs === undefined) return;
    const timer = setTimeout(() => {
      this.#planned.delete(timer);
      void this.#queue.run(() => this.#send(token, image.label));
    }, delayMs);
    this.#planned.add(timer);
  }

  /** Drops the labels that are not due yet and waits for those on their way. */
  async close(): Promise<void> {
    for (const timer of this.#planned) clearTimeout(timer);
    await this.#queue.drained();
    this.#connection.close();
  }

  async #send(token: string, label: number): Promise<void> {
    try {
      const answer = await this.#connection.request(
        postBytes({
          host: this.#host,
          path: '/v1/feedback',
          headers: { 'content-type': 'application/json' },
          body: Buffer.from(JSON.stringify({ token, label })),
        }),
      );
      this.sent += 1;
      if (answer.status >= 300) this.refused += 1;
    } catch {
      this.refused += 1;
    }
  }
}
