import { createHash } from 'node:crypto';

/** The content security policy of a page that may load nothing and use no other style than this one. */
export function pagePolicy(style: string): string {
  const hash = createHash('sha256').update(style).digest('base64');
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
}
