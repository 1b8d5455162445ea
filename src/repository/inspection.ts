/** The work of an inspector's thread: the part of a package that needs every byte to be read. */
import { closeSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { dirname, resolve } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { messageOf } from '../core/errors.ts';
import { type DirectoryDigest, digestOf } from './digest.ts';
import { insideOf } from './inside-of.ts';
import { isMissing } from './is-missing.ts';
import { type OnnxSummary, readOnnxSummary } from './onnx-file.ts';
import { countBytes, expectBytes, type ReadingProgress } from './reading-progress.ts';
import { checkRegular } from './regular-file.ts';
import { graphDigest, weightsDigest } from './weights-digest.ts';

export type InspectionOrder = {
  /** The package. */
  readonly directory: string;
  /** Its model's file. */
  readonly file: string;
  /** The same for messages, relative to the folder. */
  readonly name: string;
  /** Counts what is read. */
  readonly progress?: ReadingProgress | undefined;
};

export type Inspection = DirectoryDigest &
  Pick<OnnxSummary, 'signature' | 'rows' | 'labels' | 'edits'> & {
    /** Names what the model computes, without metadata: see `weightsDigest`. */
    readonly weights: string;
  };

/** As the format has it: lengths in it are signed and have 32 bits. */
const FILE_BYTES_MAX = 2 ** 31 - 1;
const PIECE_BYTES = 1 << 22;

if (!isMainThread) yieldToOthers();

/**
 * Reading gigabytes is never as urgent as an answer. On Linux this concerns the calling thread alone, elsewhere all of the
 * process, which keeps its priority then; so does a thread whose system does not let it step back.
 */
function yieldToOthers(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It reads all the same.
  }
}

/** @throws Error that names what was expected and what was found. */
export async function inspect(order: InspectionOrder): Promise<Inspection> {
  const { graph, externalFiles, ...summary } = await summaryOf(order);
  const byFile = new Map<string, string>();
  const digest = await digestOf(order.directory, order.progress, (path, one) =>
    byFile.set(resolve(order.directory, path), one),
  );
  const external = externalFiles.map(
    (name) => byFile.get(resolve(dirname(order.file), name)) ?? '',
  );
  return { ...summary, ...digest, weights: weightsDigest(graph, external) };
}

export async function digest(directory: string): Promise<DirectoryDigest> {
  return await digestOf(directory);
}

async function summaryOf({
  file,
  name,
  progress,
}: InspectionOrder): Promise<OnnxSummary & { readonly graph: string }> {
  const bytes = bytesOf(file, name, progress);
  const summary = summaryIn(bytes, name);
  for (const external of summary.externalFiles) {
    const weights = insideOf(dirname(file), external);
    const found = await stat(weights).catch(() => undefined);
    if (!found?.isFile())
      throw new Error(`${name}: expected its weights in ${external}, found no such file`);
  }
  return { ...summary, graph: graphDigest(bytes) };
}

function summaryIn(bytes: Uint8Array, name: string): OnnxSummary {
  try {
    return readOnnxSummary(bytes);
  } catch (cause) {
    throw new Error(`${name}: ${messageOf(cause)}`, { cause });
  }
}

function bytesOf(file: string, name: string, progress: ReadingProgress | undefined): Uint8Array {
  try {
    const { size } = checkedStat(file, name);
    expectBytes(progress, size);
    return wholeFile(file, size, progress);
  } catch (cause) {
    throw isMissing(cause)
      ? new Error(`expected a file ${name}, found none`, { cause })
      : new Error(`expected a readable ${name} of at most 2 GiB: ${messageOf(cause)}`, { cause });
  }
}

function checkedStat(file: string, name: string): Stats {
  const found = statSync(file);
  checkRegular(found, name);
  if (found.isDirectory()) throw new Error('expected a file, found a folder');
  if (found.size > FILE_BYTES_MAX) throw new Error(`found ${found.size} bytes`);
  return found;
}

/** Piece by piece, so that one can see how far it has come. */
function wholeFile(file: string, size: number, progress: ReadingProgress | undefined): Uint8Array {
  const bytes = Buffer.allocUnsafe(size);
  const descriptor = openSync(file, 'r');
  try {
    let read = 0;
    while (read < size) {
      const length = readSync(descriptor, bytes, read, Math.min(PIECE_BYTES, size - read), null);
      if (length === 0) break;
      read += length;
      countBytes(progress, length);
    }
    return bytes.subarray(0, read);
  } finally {
    closeSync(descriptor);
  }
}
