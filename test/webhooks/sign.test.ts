import t from 'tap';
import { keyOf, signedHeaders } from '../../src/webhooks/sign.ts';

t.test('a signature is that of the published example', async (t) => {
  const signed = {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestamp: 1_614_265_330,
    body: '{"test": 2432232314}',
  };
  t.same(signedHeaders(signed, [keyOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')]), {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

t.test('each secret signs, so that one can replace the other', async (t) => {
  const signed = { id: 'a', timestamp: 1, body: '{}' };
  const [one, two] = ['first-secret-0123', 'second-secret-012'].map(keyOf) as [Buffer, Buffer];
  const single = (key: Buffer) => signedHeaders(signed, [key])['webhook-signature'];
  const both = signedHeaders(signed, [one, two])['webhook-signature'];
  t.equal(both, `${single(one)} ${single(two)}`);
});

t.test('nothing is signed without a secret', async (t) => {
  const headers = signedHeaders({ id: 'a', timestamp: 1, body: '{}' }, []);
  t.same(Object.keys(headers), ['webhook-id', 'webhook-timestamp']);
});

t.test('a short, an empty and a huge secret are refused without being shown', async (t) => {
  for (const secret of ['', 'whsec_', 'hunter2', 'x'.repeat(513)]) {
    let message = '';
    try {
      keyOf(secret);
    } catch (error) {
      message = String(error);
    }
    t.match(message, /expected a secret of 16 to 512 bytes, found \d+/);
    t.notOk(secret.length > 6 && message.includes(secret));
  }
});
