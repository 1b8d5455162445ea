import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { status } from '@grpc/grpc-js';
import t, { type Test } from 'tap';
import type { Entrance } from '../../../src/core/entrance.ts';
import { ServeError } from '../../../src/core/errors.ts';
import { HEALTH, INFERENCE, methodsOf } from '../../../src/protocol/grpc/definitions.ts';
import { checkNeeds, METHOD_NEEDS } from '../../../src/protocol/grpc/method-needs.ts';
import { anEntrance, oneForEachRole } from '../../support/some-doors.ts';
import { aConversation, anInfer, DEFINITIONS, encoded, type ServerParts } from './builders.ts';

async function aLockedConversation(t: Test, parts: ServerParts = {}) {
  const { entrance, refused } = anEntrance(oneForEachRole('m'));
  return { ...(await aConversation(t, { entrance, ...parts })), refused };
}

const UNARY = [INFERENCE, HEALTH].flatMap((service) =>
  Object.entries(methodsOf(DEFINITIONS, service)).filter(
    ([, method]) => !method.requestStream && !method.responseStream,
  ),
);

/** What makes a call of each method be about the model `m`. */
const ABOUT_M: Readonly<Record<string, object>> = {
  ...{ ModelReady: { name: 'm' }, ModelMetadata: { name: 'm' }, ModelConfig: { name: 'm' } },
  ...{ ModelStatistics: { name: 'm' }, ModelInfer: anInfer(), Check: { service: 'm' } },
  ...{ RepositoryModelLoad: { model_name: 'm' }, RepositoryModelUnload: { model_name: 'm' } },
  TraceSetting: { model_name: 'm' },
};

function messageOf(name: string) {
  return (ABOUT_M[name] ?? {}) as Record<string, unknown>;
}

t.test(
  'every method is closed to callers without credentials but the health of the server',
  async (t) => {
    const { call } = await aLockedConversation(t);
    const open = [];
    for (const [name] of UNARY) {
      const { error } = await call(name, messageOf(name));
      if (error === undefined) open.push(name);
      else t.equal(error.code, status.UNAUTHENTICATED, name);
    }
    t.strictSame(open, ['ServerLive', 'ServerReady']);
    t.equal((await call('Check', { service: '' })).error, undefined);
  },
);

t.test('every method is closed to callers whose role is on another model', async (t) => {
  const { call } = await aLockedConversation(t);
  const metadata = { authorization: 'Bearer other' };
  for (const [name] of UNARY) {
    const { error } = await call(name, messageOf(name), { metadata });
    const isOfNone = METHOD_NEEDS.get(`/${INFERENCE}/${name}`);
    const isList = typeof isOfNone === 'object' && isOfNone.of === 'any';
    const isOpen = name === 'ServerLive' || name === 'ServerReady';
    if (isList || isOpen) t.not(error?.code, status.PERMISSION_DENIED, name);
    else t.equal(error?.code, status.PERMISSION_DENIED, name);
  }
});

t.test('a role that is too small loads nothing, and changes no setting', async (t) => {
  const loads: string[] = [];
  const changes: object[] = [];
  const { call } = await aLockedConversation(t, {
    repository: {
      index: async () => [],
      load: async (model) => void loads.push(model),
      unload: async (model) => void loads.push(model),
    },
    settings: {
      log: () => ({ logInfo: true, logWarning: true, logError: true }),
      setLog: (change) => void changes.push(change),
    },
  });
  const setting = { settings: { log_info: { bool_param: false } } };
  for (const key of ['infer', 'view', 'label']) {
    const metadata = { 'x-api-key': key };
    for (const name of ['RepositoryModelLoad', 'RepositoryModelUnload'])
      t.ok((await call(name, { model_name: 'm' }, { metadata })).error, `${name} as ${key}`);
    t.ok((await call('LogSettings', setting, { metadata })).error, `LogSettings as ${key}`);
  }
  const operate = { metadata: { 'x-api-key': 'operate' } };
  t.ok((await call('LogSettings', setting, operate)).error);
  t.equal((await call('RepositoryModelLoad', { model_name: 'q' }, operate)).error?.code, 7);
  t.strictSame([loads, changes], [[], []]);
  t.equal((await call('RepositoryModelLoad', { model_name: 'm' }, operate)).error, undefined);
  const admin = { metadata: { 'x-api-key': 'admin' } };
  t.equal((await call('LogSettings', setting, admin)).error, undefined);
  t.strictSame([loads, changes.length], [['m'], 1]);
});

t.test(
  'the health of a model is for its callers, and the same for one that there is not',
  async (t) => {
    const { call, watch } = await aLockedConversation(t);
    for (const service of ['m', 'no-such-model']) {
      t.equal((await call('Check', { service })).error?.code, status.UNAUTHENTICATED);
      t.equal((await watch(service).ended).code, status.UNAUTHENTICATED);
    }
    const { answer } = await call(
      'Check',
      { service: 'm' },
      { metadata: { 'x-api-key': 'infer' } },
    );
    t.equal(answer?.['status'], 'SERVING');
  },
);

t.test('a stream is closed to callers without credentials', async (t) => {
  const { stream } = await aLockedConversation(t);
  t.equal((await stream().ended).code, status.UNAUTHENTICATED);
});

t.test('each message of a stream is asked for, and a key that is revoked ends it', async (t) => {
  const inner = anEntrance(oneForEachRole('m')).entrance;
  const state = { isRevoked: false };
  const entrance: Entrance = {
    enter: (...asked) => {
      if (state.isRevoked) throw new ServeError('unauthenticated', 'expected a key, found none');
      return inner.enter(...asked);
    },
  };
  const { stream } = await aConversation(t, { entrance });
  const opened = stream({ 'x-api-key': 'infer' });
  opened.stream.write(anInfer({ model_name: 'q' }));
  opened.stream.once('data', () => {
    state.isRevoked = true;
    opened.stream.write(anInfer());
  });
  const { answers, code } = await opened.ended;
  t.match(answers, [{ error_message: /role infer on model "q"/ }]);
  t.equal(code, status.UNAUTHENTICATED);
});

t.test('a caller that is found later is let in, or refused', async (t) => {
  const inner = anEntrance(oneForEachRole('m')).entrance;
  const entrance: Entrance = {
    enter: async (...asked) => {
      await new Promise((resolve) => setImmediate(resolve));
      return inner.enter(...asked);
    },
  };
  const { call, stream } = await aConversation(t, { entrance });
  t.ok((await call('ModelInfer', anInfer(), { metadata: { 'x-api-key': 'infer' } })).answer);
  t.equal((await call('ModelInfer', anInfer())).error?.code, status.UNAUTHENTICATED);
  const opened = stream({ 'x-api-key': 'infer' });
  opened.stream.end(anInfer());
  t.match(await opened.ended, { code: status.OK, answers: [{ error_message: '' }] });
});

/** The status of a call over bare HTTP/2, with these headers besides. */
function bareCall(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string | string[]>>,
) {
  return new Promise<string>((resolve, reject) => {
    const call = session.request({
      ':method': 'POST',
      ':path': `/${INFERENCE}/ModelInfer`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    const message = encoded(anInfer());
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    const take = (found: object): void => {
      const code = Reflect.get(found, 'grpc-status');
      if (code !== undefined) resolve(String(code));
    };
    call.on('response', take).on('trailers', take).on('error', reject).resume();
    call.end(Buffer.concat([prefix, message]));
  });
}

t.test(
  'many fields of credentials are refused over HTTP/2, the first of them right or not',
  async (t) => {
    const { port } = await aLockedConversation(t);
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    t.teardown(() => session.destroy());
    t.equal(await bareCall(session, { 'x-api-key': 'infer' }), '0');
    t.equal(await bareCall(session, {}), '16');
    const raw = ['infer', 'other'];
    t.equal(await bareCall(session, { 'x-api-key': raw }), '16');
    t.equal(await bareCall(session, { 'x-api-key': 'infer', authorization: 'Bearer infer' }), '16');
  },
);

t.test('a method of which nothing says what it needs is not served', async (t) => {
  t.throws(
    () => checkNeeds([`/${INFERENCE}/ModelInferTwice`]),
    /expected what .*ModelInferTwice needs/,
  );
});
