/** How far the reading of a model's packages has come; shared by the thread that reads and those who look. */
export type ReadingProgress = SharedArrayBuffer;

/** Bytes read so far and bytes known to be read, in all. What is read twice counts twice. */
export type BytesRead = { readonly bytes: number; readonly total: number };

const PLACES = 2;

export function newProgress(): ReadingProgress {
  return new SharedArrayBuffer(PLACES * BigInt64Array.BYTES_PER_ELEMENT);
}

/** Adds bytes that are to be read. */
export function expectBytes(progress: ReadingProgress | undefined, bytes: number): void {
  if (progress !== undefined) Atomics.add(new BigInt64Array(progress), 1, BigInt(bytes));
}

export function countBytes(progress: ReadingProgress | undefined, bytes: number): void {
  if (progress !== undefined) Atomics.add(new BigInt64Array(progress), 0, BigInt(bytes));
}

export function bytesRead(progress: ReadingProgress): BytesRead {
  const counts = new BigInt64Array(progress);
  return { bytes: Number(Atomics.load(counts, 0)), total: Number(Atomics.load(counts, 1)) };
}
