/**
 * Reads models' folders in a process of its own: a file of a dead network mount holds the thread that reads it, and nothing can
 * free that but the end of its process. The process begins with the first order.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { durationText } from '../core/text.ts';
import type { Folders } from './folders.ts';
import type { FromReader, ReaderOrder, ReadOrder } from './reader-message.ts';
import type { BytesRead } from './reading-progress.ts';
import type { Scan } from './scan.ts';

export type ModelReader = {
  /**
   * Reads one model; one at a time. Rejects with an Error where nothing more comes for too long, or once the reader is closed.
   * `onProgress` is called now and then with how far it has come.
   */
  readonly read: (order: ReadOrder, onProgress: (read: BytesRead) => void) => Promise<Scan>;
  /** Kills it, with reads that hang. */
  readonly close: () => void;
};

export type ReaderOptions = {
  /** How long nothing may come before the files are taken for dead; milliseconds, by default two minutes. */
  readonly stallMs?: number;
};

const STALL_MS = 120_000;

export class Reader implements ModelReader {
  readonly #stallMs: number;
  #child: ChildProcess | undefined;
  #onClose: (() => void) | undefined;
  #isClosed = false;

  constructor({ stallMs = STALL_MS }: ReaderOptions = {}) {
    this.#stallMs = stallMs;
  }

  /** Undefined before the first order, and once it has ended. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async read(order: ReadOrder, onProgress: (read: BytesRead) => void): Promise<Scan> {
    const message = await this.#ask({ kind: 'model', ...order }, onProgress);
    if (message.kind === 'scan') return message.scan;
    throw unexpected(message);
  }

  /** The folders in a directory, as `foldersIn` finds them. Rejects as `read` does, or where the directory cannot be read. */
  async list(directory: string): Promise<Folders> {
    const message = await this.#ask({ kind: 'folders', directory }, () => undefined);
    if (message.kind === 'folders') return message.folders;
    throw unexpected(message);
  }

  #ask(order: ReaderOrder, onProgress: (read: BytesRead) => void): Promise<FromReader> {
    if (this.#isClosed) return Promise.reject(new Error('the reader is closed'));
    const child = this.#child ?? this.#start();
    holdOpen(child);
    return new Promise<FromReader>((resolve, reject) => {
      let bytes = 0;
      const stalled = (): void => {
        child.kill('SIGKILL');
        settle();
        reject(new Error(stalledText(this.#stallMs, bytes)));
      };
      let timer = setTimeout(stalled, this.#stallMs);
      const onMessage = (message: FromReader): void => {
        if (message.kind === 'fault') reject(new Error(message.message));
        else if (message.kind !== 'progress') resolve(message);
        else {
          if (message.read.bytes > bytes) {
            clearTimeout(timer);
            timer = setTimeout(stalled, this.#stallMs);
          }
          bytes = message.read.bytes;
          onProgress(message.read);
          return;
        }
        settle();
      };
      const onExit = (code: number | null, signal: string | null): void => {
        settle();
        reject(new Error(`the process that read its files ended (${signal ?? `code ${code}`})`));
      };
      const onError = (error: Error): void => {
        settle();
        reject(error);
      };
      const settle = (): void => {
        clearTimeout(timer);
        this.#onClose = undefined;
        letGo(child);
        child.off('message', onMessage).off('exit', onExit).off('error', onError);
      };
      this.#onClose = () => onError(new Error('the reader was closed'));
      child.on('message', onMessage).on('exit', onExit).on('error', onError);
      // A child that could not be started has no channel to send by where descriptors ran out; its `error` event says why.
      if (child.pid !== undefined) child.send(order, (error) => error && onError(error));
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#onClose?.();
    this.#child?.kill('SIGKILL');
  }

  #start(): ChildProcess {
    const child = fork(new URL('./reader-main.js', import.meta.url), {
      serialization: 'advanced',
      env: {},
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    letGo(child);
    child.on('error', () => {
      // One that never started does not exit.
      if (child.pid === undefined) this.#forget(child);
    });
    child.once('exit', () => this.#forget(child));
    this.#child = child;
    return child;
  }

  /** The next order starts another process. */
  #forget(child: ChildProcess): void {
    if (this.#child === child) this.#child = undefined;
  }
}

/** Keeps this process running while a read is in progress. */
function holdOpen(child: ChildProcess): void {
  child.ref();
  child.channel?.ref();
}

/** What hangs in a file ends late, or never: this process must not wait for it. */
function letGo(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
}

function stalledText(stallMs: number, bytes: number): string {
  const soFar = bytes === 0 ? 'nothing of them' : `nothing more of them after ${bytes} bytes`;
  return `its files cannot be read: ${soFar} came within ${durationText(stallMs)}. Is the disk or the network mount gone? Once it is back: understudy models reload`;
}

function unexpected({ kind }: FromReader): Error {
  return new Error(`a reader's process answered with ${kind}`);
}
