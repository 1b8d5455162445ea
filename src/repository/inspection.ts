/** The work of an inspector's thread: what only reading every byte of a package tells. */
import { readFileSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { dirname } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { messageOf } from '../core/errors.ts';
import { type DirectoryDigest, digestOf } from './digest.ts';
import { insideOf } from './inside-of.ts';
import { isMissing } from './is-missing.ts';
import { type OnnxSummary, readOnnxSummary } from './onnx-file.ts';
import { checkRegular } from './regular-file.ts';

export type InspectionOrder = {
  /** The package. */
  readonly directory: string;
  /** Its model's file. */
  readonly file: string;
  /** The same for messages, relative to the folder. */
  readonly name: string;
};

export type Inspection = DirectoryDigest &
  Pick<OnnxSummary, 'signature' | 'rows' | 'labels' | 'edits'>;

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
export async function inspect({ directory, file, name }: InspectionOrder): Promise<Inspection> {
  const { externalFiles: _, ...summary } = await summaryOf(file, name);
  return { ...summary, ...(await digestOf(directory)) };
}

export async function digest(directory: string): Promise<DirectoryDigest> {
  return await digestOf(directory);
}

async function summaryOf(file: string, name: string): Promise<OnnxSummary> {
  const bytes = bytesOf(file, name);
  const summary = summaryIn(bytes, name);
  for (const external of summary.externalFiles) {
    const weights = insideOf(dirname(file), external);
    const found = await stat(weights).catch(() => undefined);
    if (!found?.isFile())
      throw new Error(`${name}: expected its weights in ${external}, found no such file`);
  }
  return summary;
}

function summaryIn(bytes: Uint8Array, name: string): OnnxSummary {
  try {
    return readOnnxSummary(bytes);
  } catch (cause) {
    throw new Error(`${name}: ${messageOf(cause)}`, { cause });
  }
}

function bytesOf(file: string, name: string): Uint8Array {
  try {
    checkRegular(statSync(file), name);
    return readFileSync(file);
  } catch (cause) {
    throw isMissing(cause)
      ? new Error(`expected a file ${name}, found none`, { cause })
      : new Error(`expected a readable ${name} of at most 2 GiB: ${messageOf(cause)}`, { cause });
  }
}
