import type { Protocol, Target } from '../../load/nouns/target.ts';
import type { Address, TlsClient } from '../../load/nouns/wire.ts';
import { expectPrivate, readApiCredential } from '../api-credential.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { readTlsFiles } from '../tls-files.ts';
import type { CompareOptions, LoadOptions } from './load-options.ts';
import { wrongOption } from './values.ts';

const PROTOCOLS: readonly Protocol[] = ['rest-json', 'rest-binary', 'grpc', 'grpc-stream'];
const SCHEMES = {
  'http:': { tls: false, port: 8000, protocol: 'rest-binary' },
  'https:': { tls: true, port: 443, protocol: 'rest-binary' },
  'grpc:': { tls: false, port: 8001, protocol: 'grpc' },
  'grpcs:': { tls: true, port: 443, protocol: 'grpc' },
} as const;

/** The server and model under test. `bUrl`: that of a comparison, which the options of TLS may be meant for. */
export function readTarget(options: LoadOptions & { readonly bUrl?: string }): Target {
  const { address, protocol } = readUrl('url', options.url);
  expectPrivateKey(options, address);
  return {
    address: withClient(address, clientOf(options)),
    protocol: readProtocol('protocol', options.protocol, protocol),
    model: options.model,
    version: options.modelVersion,
    headers: { ...readHeaders(options.header ?? []), ...keyHeaders(options) },
  };
}

/** The other one of a comparison: A, but for what is said of B. */
export function readOther(options: CompareOptions, a: Target): Target {
  const { bUrl, bModel, bModelVersion, bProtocol } = options;
  const { address, protocol } = bUrl === undefined ? a : readUrl('b-url', bUrl);
  const client = clientOf(options);
  expectPrivateKey(options, address);
  const isLikeA = isGrpc(protocol) === isGrpc(a.protocol);
  return {
    ...a,
    address: withClient(address, client),
    protocol: readProtocol('b-protocol', bProtocol, isLikeA ? a.protocol : protocol),
    model: bModel ?? a.model,
    version: bModelVersion ?? (bModel === undefined ? a.version : undefined),
  };
}

/** One client for all: what of a comparison has TLS is asked with the same certificates. */
function clientOf(options: LoadOptions & { readonly bUrl?: string }): TlsClient | undefined {
  const { url, bUrl, insecure: isInsecure = false } = options;
  const isSecure = [url, bUrl].some((text) => /^(https|grpcs):/i.test(text ?? ''));
  const files = readTlsFiles(options, { isSecure, address: url });
  if (isInsecure && !isSecure)
    throw new CommandError(
      EXIT.usage,
      `expected an address with TLS, such as https://..., beside --insecure, found ${url}`,
    );
  const isPlain = Object.keys(files).length === 0 && !isInsecure;
  return isPlain ? undefined : { ...files, isInsecure };
}

function expectPrivateKey({ apiKeyFile, allowPlaintext }: LoadOptions, address: Address): void {
  if (apiKeyFile === undefined) return;
  expectPrivate({ host: address.host, isSecure: address.tls }, allowPlaintext);
}

function withClient(address: Address, client: TlsClient | undefined): Address {
  return address.tls && client !== undefined ? { ...address, client } : address;
}

function readUrl(option: string, text: string): Pick<Target, 'address' | 'protocol'> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = SCHEMES[url?.protocol as keyof typeof SCHEMES];
  // A name and a password in it would not be sent, and would stand in the report's command.
  const isAddress =
    url !== undefined &&
    url.hostname !== '' &&
    url.port !== '0' &&
    url.username + url.password + url.search + url.hash === '' &&
    ['', '/'].includes(url.pathname);
  if (scheme === undefined || !isAddress)
    throw wrongOption(
      option,
      'an address such as http://127.0.0.1:8000 or grpc://127.0.0.1:8001',
      text,
    );
  const { tls, protocol } = scheme;
  const standard =
    url.protocol === 'http:' && text.replace(/\/$/, '').endsWith(':80') ? 80 : scheme.port;
  const port = url.port === '' ? standard : Number(url.port);
  return { address: { host: url.hostname.replace(/^\[|\]$/g, ''), port, tls }, protocol };
}

function readProtocol(option: string, text: string | undefined, standard: Protocol): Protocol {
  if (text === undefined) return standard;
  const protocol = PROTOCOLS.find((each) => each === text);
  if (protocol === undefined) throw wrongOption(option, PROTOCOLS.join(', '), text);
  if (isGrpc(protocol) !== isGrpc(standard))
    throw wrongOption(
      option,
      isGrpc(standard)
        ? 'grpc or grpc-stream for a grpc:// address'
        : 'rest-json or rest-binary for an http:// address',
      text,
    );
  return protocol;
}

function isGrpc(protocol: Protocol): boolean {
  return protocol === 'grpc' || protocol === 'grpc-stream';
}

/** The key of a file alone: that of UNDERSTUDY_API_KEY is meant for a gateway, and the server may be another. */
function keyHeaders(options: LoadOptions): Readonly<Record<string, string>> {
  const { apiKeyFile, header = [] } = options;
  if (apiKeyFile === undefined) return {};
  if (header.some((line) => /^authorization:/i.test(line)))
    throw new CommandError(
      EXIT.usage,
      'expected --api-key-file or a header authorization, found both',
    );
  return { authorization: `Bearer ${readApiCredential(apiKeyFile)}` };
}

function readHeaders(lines: readonly string[]): Readonly<Record<string, string>> {
  const pairs = lines.map((line): [string, string] => {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw wrongOption('header', 'a header such as "authorization: Bearer abc"', line);
    return [name.toLowerCase(), value];
  });
  return Object.fromEntries(pairs);
}
