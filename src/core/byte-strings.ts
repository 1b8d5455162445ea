const LENGTH_BYTES = 4;

/** The elements of a BYTES tensor as views: each is a uint32 length and that many bytes. Throws on a length that lies. */
export function splitByteStrings(data: Uint8Array): Uint8Array[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const elements: Uint8Array[] = [];
  let at = 0;
  while (at < data.byteLength) {
    const left = data.byteLength - at;
    const bytes = left < LENGTH_BYTES ? left + 1 : view.getUint32(at, true);
    if (bytes > left - LENGTH_BYTES) {
      throw new Error(
        `BYTES element ${elements.length}: expected a length and its bytes, found ${left} bytes left`,
      );
    }
    elements.push(data.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + bytes));
    at += LENGTH_BYTES + bytes;
  }
  return elements;
}

/** The data of a BYTES tensor that holds these elements. */
export function joinByteStrings(elements: readonly Uint8Array[]): Uint8Array {
  let bytes = 0;
  for (const element of elements) bytes += LENGTH_BYTES + element.byteLength;
  const data = new Uint8Array(bytes);
  const view = new DataView(data.buffer);
  let at = 0;
  for (const element of elements) {
    view.setUint32(at, element.byteLength, true);
    data.set(element, at + LENGTH_BYTES);
    at += LENGTH_BYTES + element.byteLength;
  }
  return data;
}
