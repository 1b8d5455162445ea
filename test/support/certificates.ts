/** Certificates for one test, made by openssl: nothing in the repository can expire. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Rejects where it fails. */
export async function openssl(args: readonly string[]): Promise<void> {
  await run('openssl', args);
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

type Teardown = { readonly teardown: (work: () => unknown) => void };

/** A certificate and its key, as files. */
export type PairFiles = { readonly certificate: string; readonly key: string };

export type PairOptions = {
  /** Of the files. */
  readonly name: string;
  readonly subject?: string;
  /** Alternative names as openssl writes them; empty: none. */
  readonly names?: string;
  readonly days?: number;
};

/** An authority, and a folder for what it vouches for. */
export class Authority {
  readonly folder: string;
  readonly certificate: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.certificate = join(folder, 'ca.crt');
  }

  static async open(t: Teardown): Promise<Authority> {
    const folder = await mkdtemp(join(tmpdir(), 'understudy-tls-'));
    t.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
    const authority = new Authority(folder);
    const files = ['-keyout', join(folder, 'ca.key'), '-out', authority.certificate];
    await openssl(['req', '-x509', ...NEW_KEY, ...files, '-subj', '/CN=ca', '-days', '60']);
    return authority;
  }

  /** By default the certificate of a server of this machine. */
  async issue({
    name,
    subject = `/CN=${name}`,
    names = 'DNS:localhost,IP:127.0.0.1',
    days = 30,
  }: PairOptions): Promise<PairFiles> {
    const at = (ending: string): string => join(this.folder, `${name}.${ending}`);
    const pair = { certificate: at('crt'), key: at('key') };
    const request = ['-keyout', pair.key, '-out', at('csr'), '-subj', subject];
    await openssl(['req', '-utf8', ...NEW_KEY, ...request]);
    await writeFile(at('ext'), names === '' ? '' : `subjectAltName=${names}\n`);
    const by = ['-CA', this.certificate, '-CAkey', join(this.folder, 'ca.key'), '-CAcreateserial'];
    await openssl([
      ...['x509', '-req', '-in', at('csr'), ...by, '-days', `${days}`],
      ...['-extfile', at('ext'), '-out', pair.certificate],
    ]);
    return pair;
  }

  /** For clients of Node. */
  ca(): Promise<string> {
    return readFile(this.certificate, 'utf8');
  }
}

/** What `tls.connect` and the like take of a pair. */
export async function asClient({ certificate, key }: PairFiles) {
  return { cert: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') };
}
