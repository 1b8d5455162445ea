import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * An API key: `understudy_<id>_<secret><checksum>`. By the id of 8 characters it is found, the secret of 43 holds 256 random bits,
 * and by the beginning and the checksum of 6, the CRC-32 of all before it, scanners for leaked secrets recognise one.
 */
const FORM = /^understudy_([0-9A-Za-z]{8})_[0-9A-Za-z]{49}$/;

/** Characters of a key. */
export const KEY_LENGTH = 69;

/** What every key begins with. */
export const KEY_START = 'understudy_';

const CHECKSUM_LENGTH = 6;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export type NewKey = { readonly id: string; readonly key: string };

/** A key that was never given out before. */
export function newApiKey(): NewKey {
  const id = base62(randomBytes(8), 8);
  const body = `${KEY_START}${id}_${base62(randomBytes(32), 43)}`;
  return { id, key: body + checksumOf(body) };
}

/** The id in a text that has the form of a key; undefined: it has not. */
export function keyIdOf(text: string): string | undefined {
  return text.length === KEY_LENGTH ? FORM.exec(text)?.[1] : undefined;
}

/** True where a text has the form of a key and the checksum is right: what was typed or cut is not. */
export function isApiKey(text: string): boolean {
  const body = text.slice(0, -CHECKSUM_LENGTH);
  return keyIdOf(text) !== undefined && text.endsWith(checksumOf(body));
}

/** The secret under which digests of keys are made. */
export type Pepper = KeyObject;

export function pepperOf(secret: Uint8Array): Pepper {
  return createSecretKey(secret);
}

/** What is kept of a key: HMAC-SHA256, 32 bytes. */
export function digestOf(key: string, pepper: Pepper): Buffer {
  return createHmac('sha256', pepper).update(key).digest();
}

function checksumOf(body: string): string {
  return base62(bytesOf(crc32(body)), CHECKSUM_LENGTH);
}

function bytesOf(word: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(word);
  return bytes;
}

/** The lowest `length` digits of a number of so many bytes. */
function base62(bytes: Uint8Array, length: number): string {
  let rest = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  while (text.length < length) {
    text = ALPHABET.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return text;
}
