import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import path from 'node:path';
import { pipeline } from 'node:stream';
import { createServer, type TlsOptions } from 'node:tls';
import t, { type Test } from 'tap';
import { exitCodeOf } from '../../src/cli/bench/bench.ts';
import { EXIT } from '../../src/cli/exit-code.ts';
import type { BenchRecord } from '../../src/load/nouns/result.ts';
import { aGateway } from '../docs/a-gateway.ts';
import { CERTIFICATE, EXPIRED } from '../load/a-certificate.ts';
import { Authority, asClient } from '../support/certificates.ts';
import { type CommandEnd, understudy } from '../support/command.ts';

const TIME = { timeout: 100_000 };

const gateway = await aGateway();
t.teardown(() => gateway.close());

/** Takes TLS off, as a load balancer does, and passes the rest on to the gateway. Gives the front's own port. */
async function aFront(t: Test, protocol: 'http/1.1' | 'h2', options: TlsOptions): Promise<number> {
  const behind = protocol === 'h2' ? gateway.grpcPort : gateway.httpPort;
  const server = createServer({ ALPNProtocols: [protocol], ...options }, (secure) => {
    const plain = connect(behind, '127.0.0.1');
    pipeline(secure, plain, secure, () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A short load by a command that trusts this certificate. */
function benchTrusting(t: Test, certificate: string, url: string): Promise<CommandEnd> {
  const ca = path.join(t.testdir({ 'ca.pem': certificate }), 'ca.pem');
  const load = [
    '--rate',
    '50',
    '--duration',
    '500ms',
    '--warmup',
    '100ms',
    '--check',
    '-o',
    'json',
  ];
  const args = ['bench', 'run', '-u', url, '-m', 'fashion', ...load];
  return understudy(args, { env: { NODE_EXTRA_CA_CERTS: ca } });
}

t.test('a server whose certificate is trusted is loaded as without TLS', TIME, async (t) => {
  const rest = await aFront(t, 'http/1.1', CERTIFICATE);
  const grpc = await aFront(t, 'h2', CERTIFICATE);
  for (const url of [`https://localhost:${rest}`, `grpcs://127.0.0.1:${grpc}`]) {
    const { code, stdout, stderr } = await benchTrusting(t, CERTIFICATE.cert, url);
    const record = JSON.parse(stdout) as BenchRecord;
    t.equal(code, exitCodeOf(record), `${url}: ${stderr}`);
    const { result } = record;
    if (result.mode !== 'run') throw new Error(`expected a run, found ${result.mode}`);
    const { ok, errors } = result.report.measured;
    t.ok(ok > 0, url);
    t.strictSame(errors, {}, url);
  }
});

t.test('the fault of a certificate is reported, and how to fix it', TIME, async (t) => {
  const wantsOne = { ...CERTIFICATE, ca: CERTIFICATE.cert, requestCert: true };
  const cases: readonly (readonly [host: string, options: TlsOptions, message: RegExp])[] = [
    // Reaches the same server under a name that its certificate lacks.
    [
      '0.0.0.0',
      CERTIFICATE,
      /a certificate of other hosts: .*0\.0\.0\.0 is not in .* Is the address spelled/,
    ],
    ['127.0.0.1', EXPIRED, /a certificate that is not valid today: .*clock of this machine/],
    ['127.0.0.1', wantsOne, /wants a certificate of its clients: .*--client-cert and --client-key/],
  ];
  for (const [host, options, message] of cases)
    for (const [scheme, protocol] of [
      ['https', 'http/1.1'],
      ['grpcs', 'h2'],
    ] as const) {
      const url = `${scheme}://${host}:${await aFront(t, protocol, options)}`;
      const { code, stderr } = await benchTrusting(t, String(options.cert), url);
      t.equal(code, EXIT.unreachable, stderr);
      t.match(stderr, message, url);
    }
});

t.test('certificates named by options serve as those of curl do', TIME, async (t) => {
  const authority = await Authority.open(t);
  const server = await asClient(await authority.issue({ name: 'server' }));
  const { certificate, key } = await authority.issue({ name: 'loader' });
  const mutual = { ...server, ca: await authority.ca(), requestCert: true };
  const rest = await aFront(t, 'http/1.1', mutual);
  const grpc = await aFront(t, 'h2', mutual);
  const load = ['-m', 'fashion', '--rate', '50', '--duration', '500ms', '--warmup', '100ms'];
  const client = ['--client-cert', certificate, '--client-key', key];
  const bench = (url: string, ...tls: readonly string[]): Promise<CommandEnd> =>
    understudy(['bench', 'run', '-u', url, ...load, ...tls, '-o', 'json']);
  for (const url of [`https://127.0.0.1:${rest}`, `grpcs://127.0.0.1:${grpc}`]) {
    for (const trust of [['--ca-file', authority.certificate], ['--insecure'], ['-k']]) {
      const { stdout, stderr } = await bench(url, ...client, ...trust);
      t.ok(okOf(stdout) > 0, `${url} ${trust}: ${stderr}`);
      t.notMatch(stdout, /PRIVATE KEY|BEGIN CERTIFICATE/, 'the record has no key');
    }
    const stranger = await bench(url, ...client);
    t.equal(stranger.code, EXIT.unreachable, stranger.stderr);
    t.match(stranger.stderr, /no trusted authority signed.*--ca-file/s, url);
    const unnamed = await bench(url, '-k');
    t.match(unnamed.stderr, /wants a certificate of its clients/, url);
  }
});

t.test(
  'a comparison of plain with secure takes its certificates for the secure one',
  TIME,
  async (t) => {
    const authority = await Authority.open(t);
    const server = await asClient(await authority.issue({ name: 'server' }));
    const secure = await aFront(t, 'http/1.1', server);
    const plain = `http://127.0.0.1:${gateway.httpPort}`;
    const load = ['-m', 'fashion', '--concurrency', '1', '--duration', '200ms', '--warmup', '50ms'];
    const trust = ['--ca-file', authority.certificate];
    const args = ['-u', plain, '--b-url', `https://localhost:${secure}`, '--rounds', '3', ...trust];
    const { stdout, stderr } = await understudy([
      'bench',
      'compare',
      ...args,
      ...load,
      '-o',
      'json',
    ]);
    const { result } = JSON.parse(stdout) as BenchRecord;
    if (result.mode !== 'compare') throw new Error(`expected a comparison, found ${result.mode}`);
    for (const { arm, report } of result.blocks) t.ok(report.measured.ok > 0, `${arm} ${stderr}`);
    for (const option of [trust, ['-k']]) {
      const useless = await understudy(['bench', 'run', '-u', plain, ...load, ...option]);
      t.equal(useless.code, EXIT.usage);
      t.match(useless.stderr, /expected an address with TLS/);
    }
  },
);

function okOf(stdout: string): number {
  if (stdout === '') return 0;
  const { result } = JSON.parse(stdout) as BenchRecord;
  return result.mode === 'run' ? result.report.measured.ok : 0;
}
