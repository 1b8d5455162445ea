import { mebibytesText } from './text.ts';

/** The whole of a body as text. Throws where it holds more than `bytesMax` bytes; of an HTTP message, that ends the connection as well. */
export async function readText(body: AsyncIterable<unknown>, bytesMax: number): Promise<string> {
  return (await readBytes(body, bytesMax)).toString();
}

/** The same as bytes. */
export async function readBytes(body: AsyncIterable<unknown>, bytesMax: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body as AsyncIterable<Uint8Array>) {
    bytes += piece.byteLength;
    if (bytes > bytesMax) throw new Error(`an answer of more than ${mebibytesText(bytesMax)}`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
