/** Clients of TLS that every system has, curl and openssl, against a gateway with TLS on every port. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { blocksOf, readPage } from '../docs/page.ts';
import { projectRoot } from '../support/project-root.ts';
import { until } from '../support/until.ts';
import { aTlsGateway, replaceCertificate, runClient, serialAt } from './a-tls-gateway.ts';

t.setTimeout(240_000);

const isThere = ['bash', 'curl', 'openssl'].every(
  (program) => spawnSync(program, ['--help']).error === undefined,
);
const skip = isThere ? false : 'needs bash, curl and openssl';
const INFER = join(projectRoot, 'docs/examples/infer.json');
const OURS = '--cacert ca.crt --cert client.crt --key client.key';

/** CBC, no forward secrecy, no encryption, no authentication. */
const WEAK_CIPHERS = [
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-ECDSA-AES256-SHA',
  'AES128-GCM-SHA256',
  'AES128-SHA',
  'ECDHE-ECDSA-NULL-SHA',
  'AECDH-AES128-SHA',
];

if (isThere) {
  const tls = await aTlsGateway(t);
  const { http, grpc, admin } = tls.ports;

  t.test('the lines for clients in the documentation, where they need nothing else', async (t) => {
    const block = blocksOf(readPage('docs/guides/security.md')).find(
      ({ info }) => info === 'bash tls',
    );
    const lines = block?.text.trim().split('\n') ?? [];
    const own = lines.filter((line) => !line.startsWith('grpcurl '));
    t.ok(own.length >= 5, `${own.length} lines`);
    for (const line of own) {
      const { code, text } = await runClient(tls, line);
      // A load on a busy machine may have warnings, and still has answers.
      const isFine = line.startsWith('understudy bench') ? [0, 3].includes(code) : code === 0;
      t.ok(isFine, `${line}: ${code} ${text}`);
      if (line.startsWith('openssl')) t.match(text, /Verification: OK/);
    }
  });

  t.test('curl trusts a named authority only, and its certificate says who asks', async (t) => {
    const infer = `https://localhost:${http}/v2/models/fashion/infer -d @${INFER}`;
    t.match(await runClient(tls, `curl -sS ${OURS} --fail ${infer}`), {
      code: 0,
      text: /"model_version":"1"/,
    });
    const refused = await runClient(tls, `curl -sS --cacert ca.crt ${infer}`);
    t.match(refused.text, /"code":"unauthenticated"/, 'no certificate, no key');
    const health = `https://localhost:${http}/v2/health/ready`;
    t.match(await runClient(tls, `curl -sS ${health}`), { code: 60 }, 'an unknown authority');
    const elsewhere = `--resolve other.example:${http}:127.0.0.1 https://other.example:${http}/`;
    t.match(await runClient(tls, `curl -sS --cacert ca.crt ${elsewhere}`), { code: 60 });
    const plain = await runClient(tls, `curl -sS http://localhost:${http}/v2/health/ready`);
    t.match(plain.text, /expected TLS on this port \(https:\/\/\), found plain text/);
    const healthz = `curl -sS --fail --cacert ca.crt https://localhost:${admin}/healthz`;
    t.match(await runClient(tls, healthz), { code: 0 }, 'health needs no certificate');
  });

  t.test('openssl gets TLS 1.2 and 1.3 with modern ciphers, and nothing older', async (t) => {
    const ask = (port: number, options: string) =>
      runClient(tls, `openssl s_client -brief -connect localhost:${port} ${options} </dev/null`);
    // The client offers what its own defaults have long forbidden, so that the server is who refuses.
    const old = 'DEFAULT:@SECLEVEL=0';
    for (const port of [http, grpc, admin]) {
      const alpn = port === grpc ? '-alpn h2' : '-alpn http/1.1';
      for (const version of ['-tls1_2', '-tls1_3']) {
        const { text } = await ask(port, `${version} ${alpn} -CAfile ca.crt -verify_return_error`);
        t.match(text, /CONNECTION ESTABLISHED[\s\S]*Verification: OK/, `${port} ${version}`);
      }
      for (const version of ['-tls1', '-tls1_1']) {
        const { text } = await ask(port, `${version} -cipher ${old}`);
        t.match(text, /alert protocol version/, `${port} ${version}`);
      }
      for (const cipher of WEAK_CIPHERS) {
        const { text } = await ask(port, `-tls1_2 -cipher ${cipher}:@SECLEVEL=0`);
        t.match(text, /alert handshake failure/, `${port} ${cipher}`);
      }
    }
  });

  t.test('a certificate is renewed under traffic, and no request is lost', async (t) => {
    const before = await serialAt(tls, http);
    t.match(before, /^serial=/);
    const trust = '--ca-file ca.crt --client-cert client.crt --client-key client.key';
    const load = `-m fashion --rate 20 --warmup 100ms --duration 6s -o json ${trust}`;
    const kept = [`https://localhost:${http}`, `grpcs://localhost:${grpc}`].map((url) =>
      runClient(tls, `understudy bench run -u ${url} ${load} 2>/dev/null`),
    );
    // A connection of its own for each request.
    const codes: string[] = [];
    let isOver = false;
    const asking = (async () => {
      while (!isOver) {
        const one = `curl -sS -o /dev/null -w '%{http_code}' ${OURS} https://localhost:${http}/v2`;
        codes.push((await runClient(tls, one)).text);
      }
    })();
    await until('some are answered', () => codes.length > 3);
    await replaceCertificate(tls);
    const renewed = (port: number) => async () => {
      const serial = await serialAt(tls, port);
      return serial.startsWith('serial=') && serial !== before;
    };
    for (const port of [http, grpc, admin]) await until('the new one is shown', renewed(port));
    const asked = codes.length;
    await until('some more are answered', () => codes.length > asked + 3);
    isOver = true;
    await asking;
    t.same(
      codes.filter((code) => code !== '200'),
      [],
      `${codes.length} new connections`,
    );
    for (const { text } of await Promise.all(kept)) {
      const { ok, errors } = JSON.parse(text).result.report.measured;
      t.ok(ok > 0);
      t.same(errors, {}, 'connections that were open');
    }
  });
} else {
  t.test('clients of TLS', { skip }, async () => undefined);
}
