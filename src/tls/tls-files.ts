import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

import { messageOf } from '../core/errors.ts';
import { type RegularFile, readRegularFile } from '../disk/read-regular-file.ts';

/** The files of `server.tls`, as absolute paths. */
export type TlsPaths = {
  /** The server's certificate in PEM, with those between it and its authority after it. nginx's ssl_certificate. */
  readonly certificate: string;
  /** Its private key in PEM, without a passphrase. nginx's ssl_certificate_key. */
  readonly key: string;
  /** The authorities whose client certificates are accepted, in PEM; undefined: none are asked for. nginx's ssl_client_certificate. */
  readonly clientCa?: string | undefined;
};

/** What the files hold. */
export type TlsTexts = {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string | undefined;
  /** Permission bits of the key's file. */
  readonly keyMode: number;
};

/** Texts that fit together. */
export type TlsFiles = {
  readonly texts: TlsTexts;
  /** From when to when the server's certificate is valid, wall time in ms; the shortest of its chain. */
  readonly validity: Validity;
  /** The same of the client authorities: the first that ends. */
  readonly clientCaValidity: Validity | undefined;
  /** What is allowed and unwise. */
  readonly warnings: readonly string[];
};

export type Validity = { readonly fromMs: number; readonly untilMs: number };

/** Far beyond any chain of certificates. */
const FILE_BYTES_MAX = 1_048_576;

const READ_BY_OTHERS = 0o004;

/** @throws Error that names the key of the configuration and the file. */
export async function readTexts(paths: TlsPaths): Promise<TlsTexts> {
  const certificate = await textOf('certificate', paths.certificate);
  const key = await textOf('key', paths.key);
  const clientCa =
    paths.clientCa === undefined ? undefined : await textOf('clientCa', paths.clientCa);
  return {
    certificate: certificate.text,
    key: key.text,
    clientCa: clientCa?.text,
    keyMode: key.mode,
  };
}

/** @throws Error that names the key of the configuration, the file, and what to do. */
export function checkTexts(texts: TlsTexts, paths: TlsPaths): TlsFiles {
  const chain = certificatesIn('certificate', paths.certificate, texts.certificate);
  const key = keyIn(paths.key, texts.key);
  const [leaf] = chain;
  if (leaf?.checkPrivateKey(key) !== true) throw mismatch(chain, key, paths);
  const authorities =
    texts.clientCa === undefined || paths.clientCa === undefined
      ? undefined
      : certificatesIn('clientCa', paths.clientCa, texts.clientCa);
  return {
    texts,
    validity: validityOf(chain),
    clientCaValidity: authorities && validityOf(authorities),
    warnings: [...warningsOf(chain, paths), ...keyWarnings(texts.keyMode, paths)],
  };
}

async function textOf(key: string, file: string): Promise<RegularFile> {
  try {
    return await readRegularFile(file, { bytesMax: FILE_BYTES_MAX });
  } catch (cause) {
    throw new Error(`server.tls.${key}: expected a readable file: ${messageOf(cause)}`, { cause });
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function certificatesIn(key: string, file: string, text: string): readonly X509Certificate[] {
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) {
    throw new Error(
      `server.tls.${key}: ${file}: expected a certificate in PEM (-----BEGIN CERTIFICATE-----), found none`,
    );
  }
  return found.map((pem, at) => {
    try {
      return new X509Certificate(pem);
    } catch (cause) {
      const message = `server.tls.${key}: ${file}: expected certificate ${at + 1} to be one: ${messageOf(cause)}`;
      throw new Error(message, { cause });
    }
  });
}

function keyIn(file: string, text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    const isLocked = /ENCRYPTED/.test(text);
    throw new Error(
      isLocked
        ? `server.tls.key: ${file}: expected a private key without a passphrase, found one with. To take it off: openssl pkey -in KEY -out NEW`
        : `server.tls.key: ${file}: expected a private key in PEM (-----BEGIN PRIVATE KEY-----), found none that can be read`,
      { cause },
    );
  }
}

function mismatch(
  chain: readonly X509Certificate[],
  key: KeyObject,
  { certificate, key: keyFile }: TlsPaths,
): Error {
  const at = chain.findIndex((each) => each.checkPrivateKey(key));
  return new Error(
    at > 0
      ? `server.tls.certificate: ${certificate}: expected the server's certificate first, found it at place ${at + 1}: those of its authorities come after it`
      : `server.tls.key: expected the private key of the certificate in ${certificate}, found another key in ${keyFile}`,
  );
}

function validityOf(certificates: readonly X509Certificate[]): Validity {
  return {
    fromMs: Math.max(...certificates.map(({ validFrom }) => Date.parse(validFrom))),
    untilMs: Math.min(...certificates.map(({ validTo }) => Date.parse(validTo))),
  };
}

function warningsOf(
  chain: readonly X509Certificate[],
  { certificate }: TlsPaths,
): readonly string[] {
  const warnings: string[] = [];
  const [leaf] = chain;
  if (leaf !== undefined && leaf.subjectAltName === undefined) {
    warnings.push(
      `server.tls.certificate: ${certificate}: it has no alternative name (SAN), and clients look for the server's name only there`,
    );
  }
  const broken = chain.findIndex((each, at) => {
    const next = chain[at + 1];
    return next !== undefined && !(each.checkIssued(next) && each.verify(next.publicKey));
  });
  if (broken >= 0) {
    warnings.push(
      `server.tls.certificate: ${certificate}: certificate ${broken + 1} was not issued by the next one, so clients may not find its authority`,
    );
  }
  return warnings;
}

function keyWarnings(mode: number, { key }: TlsPaths): readonly string[] {
  return (mode & READ_BY_OTHERS) === 0
    ? []
    : [
        `server.tls.key: ${key}: every user of this machine can read it. To change that: chmod o-rwx`,
      ];
}
