import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

type Teardown = { readonly teardown: (work: () => unknown) => void };

export type SigningKey = {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
};

export async function aSigningKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** An issuer of tokens on this machine. */
export class AnIssuer {
  readonly url: string;
  /** What it answers, by path; what is not here it refuses with 404. */
  readonly pages = new Map<string, unknown>();
  /** How often it was asked for its keys. */
  asked = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', ({ url = '' }, response) => {
      if (url === '/keys') this.asked += 1;
      const page = this.pages.get(url);
      if (page === undefined) response.writeHead(404).end();
      else response.setHeader('content-type', 'application/json').end(JSON.stringify(page));
    });
    this.pages.set('/.well-known/openid-configuration', {
      issuer: this.url,
      jwks_uri: `${this.url}/keys`,
    });
  }

  /** One that publishes these keys. */
  static async open(t: Teardown, ...keys: readonly SigningKey[]): Promise<AnIssuer> {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const issuer = new AnIssuer(server);
    t.teardown(() => issuer.stop());
    issuer.publish(...keys);
    return issuer;
  }

  publish(...keys: readonly SigningKey[]): void {
    this.pages.set('/keys', { keys: keys.map(({ jwk }) => jwk) });
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

export type Claims = Readonly<Record<string, unknown>>;

/** A token signed by a key; claims of `undefined` are left out. */
export function signed(
  { kid, alg, privateKey }: SigningKey,
  claims: Claims,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const written = JSON.parse(JSON.stringify(claims)) as Record<string, unknown>;
  return new SignJWT(written).setProtectedHeader({ alg, kid, ...header }).sign(privateKey);
}
