import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { messageOf } from '../core/errors.ts';
import { CommandError, EXIT } from './exit-code.ts';

/** The options of a command that asks a server over TLS. */
export type TlsFileOptions = {
  /** `--ca-file` */
  readonly caFile?: string;
  /** `--client-cert` */
  readonly clientCert?: string;
  /** `--client-key` */
  readonly clientKey?: string;
};

/** What Node's clients of TLS take, in PEM. */
export type TlsFileTexts = {
  /** The authorities that are trusted instead of those of Node. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
};

/** Where the options lead: `address` as it was given, for messages. */
export type TlsFileTarget = { readonly isSecure: boolean; readonly address: string };

/**
 * The files that the options name.
 *
 * @throws CommandError `usage` for a file that cannot be read, a certificate without its key, and an address without TLS.
 */
export function readTlsFiles(
  { caFile, clientCert, clientKey }: TlsFileOptions,
  { isSecure, address }: TlsFileTarget,
): TlsFileTexts {
  const named = [caFile, clientCert, clientKey].some((file) => file !== undefined);
  if (named && !isSecure) {
    throw usage(
      `expected an address with TLS, such as https://..., beside --ca-file, --client-cert and --client-key, found ${address}`,
    );
  }
  if ((clientCert === undefined) !== (clientKey === undefined)) {
    const [given, missing] =
      clientKey === undefined
        ? ['--client-cert', '--client-key']
        : ['--client-key', '--client-cert'];
    throw usage(`${given}: expected ${missing} too, found none`);
  }
  const texts = {
    ...(caFile !== undefined && { ca: textOf('--ca-file', caFile) }),
    ...(clientCert !== undefined && { cert: textOf('--client-cert', clientCert) }),
    ...(clientKey !== undefined && { key: textOf('--client-key', clientKey) }),
  };
  if (named) expectUsable(texts);
  return texts;
}

function expectUsable(texts: TlsFileTexts): void {
  try {
    createSecureContext(texts);
  } catch (cause) {
    throw usage(
      `--ca-file, --client-cert and --client-key: expected files that TLS takes and that fit together: ${reasonOf(cause)}`,
      cause,
    );
  }
}

/** OpenSSL's messages are of several parts; their reason is the readable one. */
function reasonOf(cause: unknown): string {
  const reason = cause instanceof Error ? Reflect.get(cause, 'reason') : undefined;
  return typeof reason === 'string' ? reason : messageOf(cause);
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
