import { readEnvironment } from '../config/environment.ts';
import { CommandError, EXIT } from './exit-code.ts';

/** Where a gateway of this machine listens unless `server.admin` says otherwise. */
const LOCAL = 'http://127.0.0.1:8002';

/**
 * The address of the admin API: what `--admin` says, else UNDERSTUDY_ADMIN, else the default port of this machine. A path is
 * kept, for a gateway behind a proxy.
 *
 * @throws CommandError `usage` for what is no such address; the name of the option or variable is in the message.
 */
export function readAdminAddress(
  option: string | undefined,
  { admin: variable } = readEnvironment(),
): URL {
  const from = option === undefined ? 'UNDERSTUDY_ADMIN' : '--admin';
  const text = option ?? variable ?? LOCAL;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !isAddress(url)) {
    // A password in an address belongs in no log.
    const shown = url !== undefined && hasUser(url) ? 'an address with a user name' : `"${text}"`;
    throw new CommandError(
      EXIT.usage,
      `${from}: expected an address such as ${LOCAL}, found ${shown}`,
    );
  }
  return url;
}

/** Without the brackets of an IPv6 address. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function isAddress(url: URL): boolean {
  return (
    ['http:', 'https:'].includes(url.protocol) &&
    url.hostname !== '' &&
    url.port !== '0' &&
    !hasUser(url) &&
    url.search + url.hash === ''
  );
}

function hasUser(url: URL): boolean {
  return url.username + url.password !== '';
}
