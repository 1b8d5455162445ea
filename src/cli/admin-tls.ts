import { readFileSync } from 'node:fs';
import { messageOf } from '../core/errors.ts';
import { CommandError, EXIT } from './exit-code.ts';

/** The options of a command that asks a gateway over TLS. */
export type AdminTlsOptions = {
  /** `--ca-file` */
  readonly caFile?: string;
  /** `--client-cert` */
  readonly clientCert?: string;
  /** `--client-key` */
  readonly clientKey?: string;
};

/** What Node's clients of TLS take, in PEM. */
export type AdminTls = {
  /** The authorities that are trusted instead of those of Node. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
};

/**
 * The files that the options name.
 *
 * @throws CommandError `usage` for a file that cannot be read, a certificate without its key, and an address without TLS.
 */
export function readAdminTls(
  { caFile, clientCert, clientKey }: AdminTlsOptions,
  { protocol, href }: Pick<URL, 'protocol' | 'href'>,
): AdminTls {
  const named = [caFile, clientCert, clientKey].some((file) => file !== undefined);
  if (named && protocol !== 'https:') {
    throw usage(
      `expected an admin address that begins with https:// beside --ca-file, --client-cert and --client-key, found ${href}`,
    );
  }
  if ((clientCert === undefined) !== (clientKey === undefined)) {
    const [given, missing] =
      clientKey === undefined
        ? ['--client-cert', '--client-key']
        : ['--client-key', '--client-cert'];
    throw usage(`${given}: expected ${missing} too, found none`);
  }
  return {
    ...(caFile !== undefined && { ca: textOf('--ca-file', caFile) }),
    ...(clientCert !== undefined && { cert: textOf('--client-cert', clientCert) }),
    ...(clientKey !== undefined && { key: textOf('--client-key', clientKey) }),
  };
}

function textOf(option: string, file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw usage(`${option}: expected a readable file: ${messageOf(cause)}`, cause);
  }
  if (text.includes('-----BEGIN ')) return text;
  throw usage(`${option}: ${file}: expected PEM (-----BEGIN ...), found another text`);
}

function usage(message: string, cause?: unknown): CommandError {
  return new CommandError(EXIT.usage, message, { cause });
}
