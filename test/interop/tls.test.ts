/** Clients that have to be fetched first, over TLS: tritonclient and grpcurl. A part of `npm run test:interop`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { blocksOf, readPage } from '../docs/page.ts';
import { aTlsGateway, atGateway, runClient } from '../e2e/a-tls-gateway.ts';
import { grpcurlProgram } from './grpcurl.ts';
import { pythonWithClients, runClient as runPython } from './python.ts';

const PAGE = 'docs/guides/security.md';

const python = await pythonWithClients();
const grpcurl = await grpcurlProgram();
const tls = await aTlsGateway(t);

t.test('tritonclient: every claim holds', async (t) => {
  const addresses = {
    http: `localhost:${tls.ports.http}`,
    grpc: `localhost:${tls.ports.grpc}`,
    certificates: tls.authority.folder,
  };
  for (const { claim, why } of await runPython(python, 'triton_tls.py', addresses))
    t.equal(why, null, claim);
});

t.test('the Python of the documentation', async (t) => {
  const block = blocksOf(readPage(PAGE)).find(({ info }) => info === 'python tls');
  const file = join(tls.authority.folder, 'client.py');
  await writeFile(file, atGateway(block?.text ?? 'raise SystemExit(1)', tls.ports));
  t.match(await runClient(tls, `'${python}' client.py`), { code: 0 });
});

const skip = grpcurl === undefined && 'needs Go, to compile grpcurl with';
t.test('grpcurl, as the documentation has it and without a certificate', { skip }, async (t) => {
  const block = blocksOf(readPage(PAGE)).find(({ info }) => info === 'bash tls');
  const line = block?.text.split('\n').find((each) => each.startsWith('grpcurl ')) ?? '';
  const call = (text: string) => runClient(tls, text, { programs: { grpcurl: grpcurl ?? '' } });
  t.match(await call(line), { code: 0, text: /"name": "understudy"/ });
  const bare = line.replace(/-cert \S+ -key \S+ /, '');
  t.match(await call(bare), { text: /code = Unauthenticated/ });
  t.match(await call(line.replace('-cacert ca.crt ', '')), { text: /unknown authority/ });
  const plain = line.replace(/-cacert.*?\.key/, '-plaintext -connect-timeout 2');
  t.match(await call(plain), { code: 1, text: /Failed to dial/ });
});
