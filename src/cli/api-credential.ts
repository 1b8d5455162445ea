import { closeSync, openSync, readSync } from 'node:fs';
import { isApiKey, KEY_START } from '../auth/api-key.ts';
import { readEnvironment } from '../config/environment.ts';
import { messageOf } from '../core/errors.ts';
import { isLoopbackAddress } from '../core/web-caller.ts';
import { CommandError, EXIT } from './exit-code.ts';

/** Longer than any key or token. */
const BYTES_MAX = 16 * 1024;

/** What may stand behind `Bearer`, and so cannot begin another header. */
const CREDENTIAL = /^[A-Za-z0-9._~+/-]+=*$/;

/**
 * The API key or token of a command: what the file says, else UNDERSTUDY_API_KEY; undefined: there is none. There is no option for the
 * key itself, because other users of a machine see the arguments of its processes.
 *
 * @throws CommandError `usage` for what is no key or token; the text is not in the message.
 */
export function readApiCredential(
  file: string | undefined,
  { apiKey }: { readonly apiKey: string | undefined } = readEnvironment(),
): string | undefined {
  if (file === undefined) {
    return apiKey === undefined ? undefined : checked(apiKey.trim(), 'UNDERSTUDY_API_KEY');
  }
  return checked(textOf(file).trim(), `--api-key-file ${file}`);
}

/**
 * A key that crosses a network in the clear is everyone's on the way, and it cannot be taken back.
 *
 * @throws CommandError `usage` for an address without TLS on another machine, unless that is allowed.
 */
export function expectPrivate(
  { host, isSecure }: { readonly host: string; readonly isSecure: boolean },
  allowPlaintext = false,
): void {
  if (isSecure || allowPlaintext || isLoopbackAddress(host)) return;
  throw new CommandError(
    EXIT.usage,
    `expected TLS on the way to ${host} for the API key or token, found plain HTTP, where others can read it. Ask https:// or grpcs://, or, on a network that you trust, add --allow-plaintext`,
  );
}

function checked(text: string, where: string): string {
  const isRight = text.startsWith(KEY_START) ? isApiKey(text) : CREDENTIAL.test(text);
  if (isRight) return text;
  throw new CommandError(
    EXIT.usage,
    `${where}: expected an API key or a token, whole and alone; found another text of ${text.length} characters`,
  );
}

/** A pipe of the shell is as good as a file. */
function textOf(file: string): string {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(BYTES_MAX);
      let length = 0;
      for (;;) {
        const read = readSync(descriptor, bytes, length, BYTES_MAX - length, null);
        if (read === 0) return bytes.toString('utf8', 0, length);
        length += read;
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw new CommandError(
      EXIT.usage,
      `--api-key-file: expected a readable file: ${messageOf(cause)}`,
      { cause },
    );
  }
}
