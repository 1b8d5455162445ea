import { messageOf } from '../../core/errors.ts';
import { durationText } from '../../core/text.ts';
import type { Target } from '../nouns/target.ts';
import { isGrpc } from './control.ts';
import { TargetError } from './target-error.ts';

/** Errors of TLS that say that a certificate is the matter. The first that fits counts. */
const CERTIFICATE_ERRORS: readonly {
  readonly codes: RegExp;
  readonly found: string;
  readonly fix: string;
}[] = [
  {
    codes: /ALTNAME/,
    found: 'a certificate of other hosts',
    fix: 'Is the address spelled as its certificate has it?',
  },
  {
    codes: /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    found: 'a certificate that is not valid today',
    fix: 'Is the clock of this machine right? Then the server needs a new certificate.',
  },
  {
    codes: /CERTIFICATE_REQUIRED/,
    found: 'that it wants a certificate of its clients',
    fix: 'Name one by --client-cert and --client-key, or ask a port that wants none.',
  },
  {
    codes: /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/,
    found: 'a certificate that no trusted authority signed',
    fix: 'To trust who signed it, name the file of that certificate by --ca-file.',
  },
];

/** A server that speaks no TLS, to one who begins with it. */
const TLS_ERRORS = /^(EPROTO|ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/;

/** One that hangs up on what it is sent, or answers in another protocol. */
const FOREIGN_ERRORS = /^(ECONNRESET|EPIPE|HPE_.*|ERR_HTTP2_.*|ERR_SSL_.*)$/;

/** Why a server could not even be asked, from what the connection failed with. */
export function unreachable(target: Target, asked: string, cause: unknown): TargetError {
  return new TargetError({ asked, ...causeOf(target, cause) }, { cause });
}

/** No answer in time. */
export function unanswered(target: Target, asked: string, msMax: number): TargetError {
  const found = `no answer within ${durationText(msMax)}`;
  return new TargetError({ asked, found, fix: `Is the server busy? ${isPort(target)}` });
}

function causeOf(target: Target, cause: unknown): { found: string; fix: string } {
  const { address } = target;
  const code = codeOf(cause);
  const found = code === '' ? wordsOf(cause) : `${wordsOf(cause)} (${code})`;
  if (code === 'ECONNREFUSED')
    return { found: `that nothing listens there (${code})`, fix: `Is it up? ${isPort(target)}` };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return { found: `no host of the name ${address.host} (${code})`, fix: 'Is it spelled right?' };
  const fault = CERTIFICATE_ERRORS.find(({ codes }) => codes.test(code));
  if (fault) return { found: `${fault.found}: ${found}`, fix: fault.fix };
  if (TLS_ERRORS.test(code))
    return { found: `that it speaks no TLS (${code})`, fix: 'Is it http rather than https?' };
  if (FOREIGN_ERRORS.test(code)) {
    const tls = address.tls ? '' : ' Or is it https rather than http?';
    return {
      found: `something that speaks another protocol: ${found}`,
      fix: isPort(target) + tls,
    };
  }
  return { found, fix: isPort(target) };
}

function isPort(target: Target): string {
  const [own, other] = isGrpc(target) ? ['gRPC', 'HTTP'] : ['HTTP', 'gRPC'];
  return `Is ${target.address.port} its port for ${own}, and not for ${other}?`;
}

/** The codes of several failed tries, of IPv4 and IPv6 say, are mostly alike. */
function codeOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return codeOf(cause.errors[0]);
  if (!(cause instanceof Error) || !('code' in cause)) return '';
  return typeof cause.code === 'string' ? cause.code : '';
}

/** OpenSSL's messages are of several parts and end a line; their reason is the readable part. */
function wordsOf(cause: unknown): string {
  const reason = cause instanceof Error ? Reflect.get(cause, 'reason') : undefined;
  return typeof reason === 'string' ? reason : messageOf(cause);
}
