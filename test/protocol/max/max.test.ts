import fc from 'fast-check';
import t from 'tap';
import { ServeError } from '../../../src/core/errors.ts';
import type { InferRequest } from '../../../src/core/infer.ts';
import type { ServedModelAsset } from '../../../src/protocol/max/model.ts';
import { addModelAssetRoutes } from '../../../src/protocol/max/routes.ts';
import { MemoryBudget } from '../../../src/protocol/memory-budget.ts';
import { aTensor, valuesOf } from '../../support/a-tensor.ts';
import { fuzzRuns } from '../../support/fuzz-runs.ts';
import { aService, PLAIN_ROUTING } from '../builders.ts';
import { aServer, inferCall, LIMITS, type ServerParts } from '../rest/builders.ts';

const METADATA = {
  id: 'm',
  name: 'm',
  description: 'Tells <cats> from dogs',
  type: 'Image Classification',
  source: 'sha256:00',
  license: null,
};

/** Takes two bytes for an image, and their values for the scores of `cat` and `dog`. */
const CATS_AND_DOGS: ServedModelAsset = {
  name: 'm',
  metadata: () => METADATA,
  labels: () => ['cat', 'dog'],
  prepare: async (image) => {
    if (image.byteLength !== 2) throw new ServeError('invalid_input', 'image: expected two bytes');
    return [aTensor([...image])];
  },
  explainer:
    () =>
    ({ outputs: [scores] }) =>
      valuesOf(scores).map((probability, index) => ({
        label_id: String(index),
        label: ['cat', 'dog'][index] ?? '',
        probability,
      })),
};

type Parts = { readonly cors?: boolean; readonly model?: Partial<ServedModelAsset> };

async function serving({ cors = false, model }: Parts = {}, parts: ServerParts = {}) {
  const { budget: _, ...own } = parts;
  const service = aService(own);
  const server = aServer(parts);
  addModelAssetRoutes(server.app, {
    shareOf: server.shareOf,
    door: server.door,
    service,
    model: { ...CATS_AND_DOGS, ...model },
    cors,
    bodyBytesMax: LIMITS.bodyBytesMax,
  });
  t.teardown(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  const url = `http://127.0.0.1:${port}`;
  const post = (body: RequestInit['body'] | undefined, headers: Record<string, string> = {}) =>
    fetch(`${url}/model/predict`, { method: 'POST', headers, ...(body && { body }) });
  return { url, post };
}

function form(field: string, bytes: Uint8Array<ArrayBuffer> | string): FormData {
  const made = new FormData();
  made.append(field, typeof bytes === 'string' ? bytes : new Blob([bytes]), 'x.png');
  return made;
}

const TWO_BYTES = Uint8Array.of(3, 7);
const JSON_TYPE = 'application/json';

t.test('metadata and labels have their shapes, and no charset', async (t) => {
  const { url } = await serving();
  const metadata = await fetch(`${url}/model/metadata`);
  t.equal(metadata.headers.get('content-type'), JSON_TYPE);
  t.same(await metadata.json(), METADATA);
  const labels = await fetch(`${url}/model/labels`);
  t.equal(labels.headers.get('content-type'), JSON_TYPE);
  t.same(await labels.json(), {
    count: 2,
    labels: [
      { id: '0', name: 'cat' },
      { id: '1', name: 'dog' },
    ],
  });
});

t.test('swagger.json is a whole Swagger 2.0 document of the routes', async (t) => {
  const { url } = await serving();
  const response = await fetch(`${url}/swagger.json`);
  t.equal(response.headers.get('content-type'), JSON_TYPE);
  const document = (await response.json()) as {
    swagger: string;
    info: object;
    paths: Record<string, Record<string, object>>;
    definitions: Record<string, object>;
  };
  t.equal(document.swagger, '2.0');
  t.same(document.info, { title: 'm', version: '0.0.0', description: METADATA.description });
  t.same(Object.keys(document.paths), ['/model/metadata', '/model/labels', '/model/predict']);
  t.match(document.paths['/model/predict']?.['post'], {
    consumes: ['multipart/form-data'],
    parameters: [{ name: 'image', in: 'formData', type: 'file', required: true }],
  });
  const references = JSON.stringify(document).matchAll(/#\/definitions\/(\w+)/g);
  for (const [, name = ''] of references) t.ok(name in document.definitions, name);
  for (const path of Object.keys(document.paths)) {
    const method = path === '/model/predict' ? 'OPTIONS' : 'GET';
    t.not((await fetch(url + path, { method })).status, 404, path);
  }
});

t.test('an image in either field is answered with its classes, best first', async (t) => {
  const { post } = await serving();
  for (const field of ['image', 'file']) {
    const response = await post(form(field, TWO_BYTES));
    t.equal(response.status, 200);
    t.equal(response.headers.get('content-type'), JSON_TYPE);
    t.equal(response.headers.get('x-understudy-version'), '1');
    t.equal(response.headers.get('x-understudy-feedback'), 'token');
    t.same(await response.json(), {
      status: 'ok',
      predictions: [
        { label_id: '0', label: 'cat', probability: 3 },
        { label_id: '1', label: 'dog', probability: 7 },
      ],
    });
  }
});

t.test('a request goes to the gateway as every other does', async (t) => {
  const seen: InferRequest[] = [];
  const { gateway } = aService();
  const { post } = await serving(
    {},
    {
      gateway: {
        ...gateway,
        draining: () => false,
        infer: async (request, signal) => {
          seen.push(request);
          return gateway.infer(request, signal);
        },
      },
      routing: () => ({ ...PLAIN_ROUTING, sticky: 'x-user-id', attributes: { tone: 'x-tone' } }),
    },
  );
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const headers = { 'x-user-id': 'ann', 'x-tone': 'dark', traceparent };
  await post(form('image', TWO_BYTES), headers);
  await post(form('image', TWO_BYTES));
  const [ann, nobody] = seen;
  t.match(ann, { model: 'm', version: undefined, unit: 'ann', attributes: { tone: 'dark' } });
  t.equal(ann?.traceparent, traceparent);
  t.same(nobody?.unit, nobody?.id, 'who says nothing is a unit of one request');
  t.not(ann?.id, nobody?.id);
  t.ok((ann?.deadlineMs ?? Infinity) < Infinity);
});

t.test('a request without an image is refused as that framework does it', async (t) => {
  const refused: string[] = [];
  const { post } = await serving({}, { onRefused: (model, code) => refused.push(model, code) });
  const bodies = [undefined, form('picture', TWO_BYTES), new URLSearchParams({ image: 'x' }), '{}'];
  const text = new FormData();
  text.append('image', 'a text and no file');
  for (const body of [...bodies, text]) {
    const response = await post(body);
    t.equal(response.status, 400);
    t.equal(response.headers.get('content-type'), JSON_TYPE);
    t.same(await response.json(), {
      errors: {
        image:
          'An image file: JPEG, PNG, TIFF, WebP, GIF or AVIF Missing required parameter in an uploaded file',
      },
      message: 'Input payload validation failed',
    });
  }
  t.same(new Set(refused), new Set(['m', 'invalid_input']));
  t.equal(refused.length, 10, 'each is counted');
});

t.test('every other refusal is a message, with the status that it has elsewhere', async (t) => {
  const { post, url } = await serving();
  const told = async (response: Promise<Response>) => {
    const { status, headers } = await response;
    t.equal(headers.get('content-type'), JSON_TYPE);
    return [status, ((await (await response).json()) as { message: string }).message];
  };
  t.same(await told(post(form('image', Uint8Array.of(1)))), [400, 'image: expected two bytes']);
  t.match(await told(post(form('image', new Uint8Array(100_001)))), [
    413,
    /request body is over the limit: expected at most 100000 bytes, found 1001\d\d$/,
  ]);
  const many = new FormData();
  for (let part = 0; part < 20; part++) many.append(`field${part}`, 'x');
  t.match(await told(post(many)), [400, /more parts than the 16/]);
  const multipart = { 'content-type': 'multipart/form-data' };
  t.match(await told(post('x', multipart)), [
    400,
    /expected multipart\/form-data, found: .*oundary/,
  ]);
  const cut = { 'content-type': 'multipart/form-data; boundary=b' };
  const head = '--b\r\ncontent-disposition: form-data; name="image"; filename="x"\r\n\r\nxy';
  t.match(await told(post(head, cut)), [400, /expected multipart\/form-data, found: /]);
  const wrongVerb = fetch(`${url}/model/predict`);
  t.same(await told(wrongVerb), [405, 'The method is not allowed for the requested URL.']);
  t.equal((await wrongVerb).headers.get('allow'), 'POST');
});

/** A form of 10 kB a piece that continues until more than this has been taken, and then stalls without an end. */
function anUnendedForm(bytesMax: number) {
  const head = '--b\r\ncontent-disposition: form-data; name="image"; filename="x"\r\n\r\n';
  let takenBytes = 0;
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    if (takenBytes > bytesMax) return new Promise<void>(() => undefined);
    const piece = takenBytes === 0 ? Buffer.from(head) : new Uint8Array(10_000);
    takenBytes += piece.length;
    return controller.enqueue(piece);
  };
  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  const init = { method: 'POST', headers, body: new ReadableStream({ pull }), duplex: 'half' };
  return { init: init as RequestInit, takenBytes: () => takenBytes };
}

t.test('a body of unknown length is refused once it is over the limit', async (t) => {
  const { url } = await serving();
  const { init } = anUnendedForm(LIMITS.bodyBytesMax);
  t.equal((await fetch(`${url}/model/predict`, init)).status, 413);
});

t.test('the server hangs up on a client that keeps sending', async (t) => {
  const { url } = await serving();
  const { init, takenBytes } = anUnendedForm(Number.MAX_SAFE_INTEGER);
  // With an answer or without: what is being sent as it comes may cost the client the answer.
  await fetch(`${url}/model/predict`, init).catch(() => undefined);
  t.ok(takenBytes() < 10_000_000, `${takenBytes()} bytes were taken`);
});

t.test('uploads count in the memory for all requests', async (t) => {
  const budget = new MemoryBudget(50_000);
  const { post } = await serving({}, { budget });
  const refused = await post(form('image', new Uint8Array(60_000)));
  t.equal(refused.status, 503);
  t.match(await refused.json(), { message: /limits.memoryMax/ });
  t.equal((await post(form('image', TWO_BYTES))).status, 200);
});

t.test('an internal fault is reported, and answered as one', async (t) => {
  const reported: unknown[] = [];
  const { post } = await serving(
    {
      model: {
        prepare: async () => {
          throw new Error('a secret');
        },
      },
    },
    { onInternalError: (...what) => reported.push(what) },
  );
  const response = await post(form('image', TWO_BYTES));
  t.equal(response.status, 500);
  t.same(await response.json(), { message: 'Internal Server Error' });
  t.match(reported, [['max', { message: 'a secret' }]]);
});

t.test('other origins may ask only where that is switched on', async (t) => {
  const off = await serving();
  const closed = await fetch(`${off.url}/model/metadata`, { headers: { origin: 'http://a' } });
  t.equal(closed.headers.get('access-control-allow-origin'), null);
  t.equal((await fetch(`${off.url}/model/predict`, { method: 'OPTIONS' })).status, 405);
  const on = await serving({ cors: true });
  for (const response of [await on.post(form('image', TWO_BYTES)), await on.post('')]) {
    t.equal(response.headers.get('access-control-allow-origin'), '*');
    t.match(response.headers.get('access-control-expose-headers'), /x-understudy-version/);
  }
  const preflight = await fetch(`${on.url}/model/predict`, { method: 'OPTIONS' });
  t.equal(preflight.status, 204);
  t.equal(preflight.headers.get('access-control-allow-methods'), 'POST, OPTIONS');
});

t.test('the page runs its own script and nothing else, and shows names as text', async (t) => {
  const { url } = await serving();
  const response = await fetch(url);
  t.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
  const policy = response.headers.get('content-security-policy') ?? '';
  t.match(policy, /^default-src 'none'; style-src 'sha256-.{44}'; script-src 'sha256-.{44}';/);
  const page = await response.text();
  t.ok(page.includes('Tells &#60;cats&#62; from dogs'));
  for (const tag of ['style', 'script']) {
    const inline = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(page)?.[1] ?? '';
    const digest = await crypto.subtle.digest('SHA-256', Buffer.from(inline));
    t.ok(
      policy.includes(Buffer.from(digest).toString('base64')),
      `${tag} is allowed by its digest`,
    );
  }
  t.notMatch(page, /(src|href)="(https?:)?\/\//, 'nothing comes from elsewhere');
  t.notMatch(page, /<[^>]+ (style|on\w+)=/, 'nothing that the policy would refuse');
});

t.test("the protocol's own routes keep their parsers and their errors", async (t) => {
  const { url } = await serving({ cors: true });
  const call = inferCall({
    inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] }],
  });
  const good = await fetch(url + call.url, { method: 'POST', body: String(call.payload) });
  t.equal(good.status, 200);
  t.equal(good.headers.get('access-control-allow-origin'), null);
  const bad = await fetch(url + call.url, { method: 'POST', body: '{' });
  t.match(await bad.json(), { error: String });
  t.equal((await fetch(`${url}/nothing`)).status, 404);
});

t.test('no form, however malformed, does more than be refused', async (t) => {
  const { post } = await serving();
  const boundary = 'b';
  const good = Buffer.concat([
    Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="image"; filename="x"\r\ncontent-type: image/png\r\n\r\n`,
    ),
    TWO_BYTES,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
  const change = fc.record({
    at: fc.nat(good.byteLength - 1),
    bytes: fc.uint8Array({ maxLength: 4 }),
    cut: fc.nat(6),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      let body = good;
      for (const { at, bytes, cut } of changes) {
        body = Buffer.concat([body.subarray(0, at), bytes, body.subarray(at + cut)]);
      }
      const { status } = await post(body, headers);
      return status === 200 || status === 400;
    }),
    fuzzRuns(300),
  );
  t.equal((await post(good, headers)).status, 200);
});
