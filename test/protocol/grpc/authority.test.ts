import t from 'tap';
import { aSession, ended, framed } from './a-session.ts';
import { aConversation, anInfer, encoded } from './builders.ts';

t.test('where names are configured, a call under another is refused', async (t) => {
  const { port } = await aConversation(t, { allowedHosts: ['models.example', '.inner.example'] });
  const { open } = await aSession(t, port);
  const under = async (authority: string, method = 'ModelInfer') => {
    const call = open(method, { ':authority': authority });
    const end = ended(call);
    call.end(framed(encoded(anInfer())));
    return end;
  };
  const allowed = [
    'models.example:8001',
    'a.inner.example',
    `localhost:${port}`,
    `127.0.0.1:${port}`,
  ];
  for (const name of allowed) t.equal((await under(name)).code, '0', name);
  for (const method of ['ModelInfer', 'ModelStreamInfer', 'RepositoryModelUnload']) {
    const refused = await under('evil.example:8001', method);
    t.equal(refused.code, '7', method);
    t.match(refused.details, /unexpected host: expected localhost .* found "evil.example:8001"/);
  }
});

t.test('without names, any will do', async (t) => {
  const { port } = await aConversation(t);
  const { open } = await aSession(t, port);
  const call = open('ServerLive', { ':authority': 'any.example' });
  const end = ended(call);
  call.end(framed(Buffer.alloc(0)));
  t.equal((await end).code, '0');
});
