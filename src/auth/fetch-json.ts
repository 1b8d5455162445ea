import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { readText } from '../core/read-text.ts';
import { readRegularFile } from '../disk/read-regular-file.ts';

/** Key sets have a few kilobytes. */
const BYTES_MAX = 256 * 1024;

const MS_MAX = 5_000;

/**
 * The JSON at a URL of `https`, or of `http` on this machine. Follows no redirect.
 *
 * @throws Error in a few words: another status than 200, no whole answer within five seconds, too many bytes, no JSON.
 */
export async function fetchJson(url: string, msMax = MS_MAX): Promise<unknown> {
  const signal = AbortSignal.timeout(msMax);
  try {
    const response = await start(url, signal);
    if (response.statusCode !== 200) {
      response.destroy();
      throw new Error(`expected status 200, found ${response.statusCode}`);
    }
    return JSON.parse(await readText(response, BYTES_MAX));
  } catch (error) {
    if (signal.aborted) throw new Error(`no whole answer within ${msMax} ms`, { cause: error });
    throw error;
  }
}

function start(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  const get = url.startsWith('https:') ? httpsGet : httpGet;
  const options = { signal, agent: false, headers: { accept: 'application/json' } };
  return new Promise((resolve, reject) => {
    get(url, options, resolve).on('error', reject);
  });
}

/** The JSON in a file. Reads no pipe and no device. */
export async function readJson(path: string): Promise<unknown> {
  return JSON.parse((await readRegularFile(path, { bytesMax: BYTES_MAX })).text);
}
