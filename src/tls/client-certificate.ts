import { TLSSocket } from 'node:tls';

import type { ClientCertificate } from '../core/caller.ts';

/** By socket: a connection shows its certificate once, and may bring thousands of requests. */
const known = new WeakMap<TLSSocket, ClientCertificate>();

/**
 * The certificate by which the client of a connection proved who it is; undefined: it showed none that `server.tls.clientCa` vouches for, or there is no
 * TLS. Takes the socket of a request over HTTP, or that of a session of HTTP/2.
 */
export function certificateOf(socket: object | null | undefined): ClientCertificate | undefined {
  // A session that was resumed counts as authorized without any certificate, so that there is one is asked too.
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const before = known.get(socket);
  if (before !== undefined) return before;
  const shown = socket.getPeerX509Certificate();
  if (shown === undefined) return undefined;
  const names = alternativeNames(shown.subjectAltName ?? '');
  const commonName: unknown = socket.getPeerCertificate().subject?.CN;
  const certificate: ClientCertificate = {
    // Several of them are a list, and which one counts is not known.
    commonName: typeof commonName === 'string' ? commonName : undefined,
    dnsNames: names.flatMap(({ kind, value }) => (kind === 'DNS' ? value : [])),
    uris: names.flatMap(({ kind, value }) => (kind === 'URI' ? value : [])),
  };
  known.set(socket, certificate);
  return certificate;
}

type AlternativeName = { readonly kind: string; readonly value: string };

/**
 * Node joins the names as `DNS:a.example, URI:spiffe://b`, and writes one that could be taken for several as a string of JSON.
 * What cannot be read so is left out.
 */
export function alternativeNames(text: string): readonly AlternativeName[] {
  const names: AlternativeName[] = [];
  const one = /([A-Za-z][A-Za-z ]*):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;
  for (let found = one.exec(text); found !== null; found = one.exec(text)) {
    const [, kind = '', written = ''] = found;
    const value = written.startsWith('"') ? quoted(written) : written;
    if (value !== undefined) names.push({ kind, value });
  }
  return names;
}

function quoted(written: string): string | undefined {
  try {
    const value: unknown = JSON.parse(written);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
