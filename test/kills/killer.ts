/**
 * A thread that reads what is added to a file without a pause, and kills a process with SIGKILL as soon as a whole pattern is there:
 * some microseconds after it was written, and mostly before the writer has its fsync back.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

export type KillerData = {
  readonly file: string;
  readonly pattern: string;
  readonly pid: number;
  /** After this it kills regardless of the file; milliseconds. */
  readonly withinMs: number;
};

const { file, pattern, pid, withinMs } = workerData as KillerData;
const fd = openSync(file, 'r');
const chunk = Buffer.alloc(1 << 20);
let at = fstatSync(fd).size;
let text = '';
parentPort?.postMessage('watching');
const untilMs = performance.now() + withinMs;
while (!isThere() && performance.now() < untilMs) {
  const bytes = readSync(fd, chunk, 0, chunk.length, at);
  at += bytes;
  text = text.slice(text.lastIndexOf('\n') + 1) + chunk.toString('utf8', 0, bytes);
}
process.kill(pid, 'SIGKILL');
closeSync(fd);

function isThere(): boolean {
  return text.split('\n').some((line) => line.includes(pattern) && !line.includes('"refused":"'));
}
