import { isIPv6 } from 'node:net';

/** Bits 0 to 63 of an IPv6 address, in groups of 16: what one subscriber is given at least. */
const NETWORK_GROUPS = 4;
const GROUPS = 8;

/** `::ffff:0:0/96`: IPv4 addresses as a socket for both families shows them. */
const MAPPED = ['0', '0', '0', '0', '0', 'ffff'];

/**
 * Whom an address counts for: one that has an IPv6 address has 2^64 of them, so those of a /64 are one caller. An IPv4 address is
 * the same caller in either spelling. Any other text is a caller of its own.
 */
export function callerOf(address: string): string {
  const [bare = ''] = address.split('%');
  if (!isIPv6(bare)) return address;
  const groups = groupsOf(bare);
  const isMapped = MAPPED.every((group, at) => groups[at] === group);
  if (isMapped) return dotted(groups.slice(MAPPED.length));
  return `${groups.slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

/** All eight, without leading zeros. */
function groupsOf(address: string): readonly string[] {
  const [head = '', tail] = address.split('::');
  const before = groupsIn(head);
  const after = tail === undefined ? [] : groupsIn(tail);
  const missing = Array.from({ length: GROUPS - before.length - after.length }, () => '0');
  return [...before, ...missing, ...after];
}

function groupsIn(text: string): readonly string[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return Number.parseInt(group, 16).toString(16);
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
  });
}

/** IPv4 of two groups. */
function dotted(groups: readonly string[]): string {
  return groups
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 255])
    .join('.');
}
