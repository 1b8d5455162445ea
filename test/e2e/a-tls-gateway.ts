import { execFile } from 'node:child_process';
import { rename, writeFile } from 'node:fs/promises';
import { Authority, type PairFiles } from '../support/certificates.ts';
import { COMMAND } from '../support/command.ts';
import { aPlace, RunningGateway } from './a-gateway.ts';

type Teardown = { readonly teardown: (work: () => unknown) => void };

const FREE = '127.0.0.1:0';

/** A gateway with TLS on every port, whose callers are known by the certificates of an authority of its own. */
export type TlsGateway = {
  readonly gateway: RunningGateway;
  readonly authority: Authority;
  readonly server: PairFiles;
  readonly ports: { readonly http: number; readonly grpc: number; readonly admin: number };
};

/** `client.crt` and `client.key` beside `ca.crt` may do everything; callers without a certificate may do nothing. */
export async function aTlsGateway(t: Teardown): Promise<TlsGateway> {
  const place = await aPlace(t, ['1']);
  const authority = await Authority.open(t);
  const server = await authority.issue({ name: 'server' });
  await authority.issue({ name: 'client' });
  const { certificate, key } = server;
  const files = { certificate, key, clientCa: authority.certificate, clients: 'request' };
  const config = {
    apiVersion: 'understudy/v1',
    server: { http: FREE, grpc: FREE, admin: FREE, tls: files },
    repository: './models',
    ledger: './ledger',
    auth: { grants: [{ to: 'certificate:client', role: 'admin' }] },
    models: { fashion: { route: { stable: '1' } } },
  };
  // YAML of JSON is the same.
  await writeFile(place.config, JSON.stringify(config));
  const gateway = await RunningGateway.start(t, place);
  const { httpPort: http, grpcPort: grpc } = gateway;
  const ports = { http, grpc, admin: Number(new URL(gateway.adminUrl).port) };
  return { gateway, authority, server, ports };
}

export type ClientEnd = { readonly code: number; readonly text: string };

export type ClientSetting = {
  /** Programs by the words that stand for them. */
  readonly programs?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
};

/** Runs lines of bash where the certificates are, with the example's host and ports replaced by the gateway's. */
export function runClient(
  { ports, authority }: Pick<TlsGateway, 'ports' | 'authority'>,
  lines: string,
  { programs = {}, timeoutMs = 60_000 }: ClientSetting = {},
): Promise<ClientEnd> {
  const known = { understudy: `'${process.execPath}' '${COMMAND}'`, ...programs };
  const words = Object.entries(known).map(([word, path]) => `${word}() { ${path} "$@"; }`);
  const script = atGateway(lines, ports);
  return new Promise((resolve) => {
    const child = execFile(
      'bash',
      ['-c', ['set -e', ...words, script].join('\n')],
      { cwd: authority.folder, timeout: timeoutMs },
      (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, text: stdout + stderr }),
    );
  });
}

/** The documentation's addresses, with this gateway's in their place. */
export function atGateway(text: string, { http, grpc, admin }: TlsGateway['ports']): string {
  return text
    .replaceAll('models.example.com:8000', `localhost:${http}`)
    .replaceAll('models.example.com:8001', `localhost:${grpc}`)
    .replaceAll('models.example.com:8002', `localhost:${admin}`);
}

/** The certificate's serial number that a port shows to a new client of openssl. */
export async function serialAt(tls: TlsGateway, port: number): Promise<string> {
  const ask = `openssl s_client -connect localhost:${port} </dev/null 2>/dev/null | openssl x509 -noout -serial`;
  return (await runClient(tls, ask)).text.trim();
}

/** Puts another certificate in the place of the server's, file by file as an operator does. */
export async function replaceCertificate({ authority, server }: TlsGateway): Promise<void> {
  const next = await authority.issue({ name: 'next' });
  await rename(next.certificate, server.certificate);
  await rename(next.key, server.key);
}
