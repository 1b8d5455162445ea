import { setTimeout as pause } from 'node:timers/promises';
import type { SecureContextOptions } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';

import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log, LogEntry } from '../core/log.ts';
import { BoundedQueue } from '../disk/bounded-queue.ts';
import { secureContextOf, type TlsVersion } from './secure-context.ts';
import {
  checkTexts,
  readTexts,
  type TlsFiles,
  type TlsPaths,
  type TlsTexts,
  type Validity,
} from './tls-files.ts';

export type CertificatesOptions = {
  readonly paths: TlsPaths;
  readonly minVersion: TlsVersion;
  readonly log: Log;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** How often the files are read again; by default 2 s. */
  readonly lookMs?: number;
};

/** When certificates expire, wall time in ms. */
export type Expiries = { readonly server: number; readonly clientCa: number | undefined };

const LOOK_MS = 2_000;

/** Files are replaced one after the other: until then they need not fit together. */
const SETTLE_MS = 250;

/** A disk that hangs keeps what is in use. */
const READ_MS_MAX = 10_000;

/** When an operator has to know of an end: Let's Encrypt renews 30 days before. */
const SOON_MS = 14 * 86_400_000;

/**
 * The certificates of the ports. The files are read again every two seconds, and their content is used as soon as it fits together;
 * connections that are open stay open. Files that do not fit together, or that are not valid while those in use are, change
 * nothing, and the log says why.
 */
export class Certificates {
  readonly #options: CertificatesOptions;
  readonly #listeners: ((context: SecureContextOptions) => void)[] = [];
  readonly #disk = new BoundedQueue({ disk: 'the files of server.tls', msMax: READ_MS_MAX });
  #files: TlsFiles;
  #context: SecureContextOptions;
  /** Why the files of the last look were not used, and whether the log has it. */
  #refused: { readonly why: string; readonly isSaid: boolean } | undefined;
  #said: 'valid' | 'soon' | 'over' = 'valid';
  #timer: NodeJS.Timeout | undefined;

  private constructor(
    options: CertificatesOptions,
    files: TlsFiles,
    context: SecureContextOptions,
  ) {
    this.#options = options;
    this.#files = files;
    this.#context = context;
  }

  /** Reads the files. Rejects with an Error that names the key of the configuration, the file, and what to do. */
  static async open(options: CertificatesOptions): Promise<Certificates> {
    const { paths, minVersion, log, clock } = options;
    const files = checkTexts(await readTexts(paths), paths);
    const certificates = new Certificates(options, files, secureContextOf(files, minVersion));
    for (const entry of entriesOf(files, clock.wallMs())) log(entry);
    certificates.#watchValidity();
    certificates.#schedule();
    return certificates;
  }

  get context(): SecureContextOptions {
    return this.#context;
  }

  expiries(): Expiries {
    const { validity, clientCaValidity } = this.#files;
    return { server: validity.untilMs, clientCa: clientCaValidity?.untilMs };
  }

  /** Calls the listener with each context that follows. */
  onRenewed(listener: (context: SecureContextOptions) => void): void {
    this.#listeners.push(listener);
  }

  /** Reads the files now. Resolves with why their content is not used, in a sentence; undefined: it is. */
  async refresh(): Promise<string | undefined> {
    if ((await this.#look()) === undefined) return undefined;
    await pause(SETTLE_MS);
    return await this.#look();
  }

  /** Ends the looks. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    const { lookMs = LOOK_MS } = this.#options;
    const timer = setTimeout(async () => {
      await this.#look();
      this.#watchValidity();
      if (this.#timer === timer) this.#schedule();
    }, lookMs);
    this.#timer = timer.unref();
  }

  async #look(): Promise<string | undefined> {
    const { paths, log } = this.#options;
    try {
      const texts = await this.#disk.run(() => readTexts(paths));
      this.#take(texts);
      this.#refused = undefined;
      return undefined;
    } catch (error) {
      const why = messageOf(error);
      const isSecond = this.#refused?.why === why;
      if (isSecond && this.#refused?.isSaid !== true) {
        log({ level: 'error', message: `the certificate in use is kept: ${why}` });
      }
      this.#refused = { why, isSaid: isSecond };
      return why;
    }
  }

  /** @throws Error where they are not to be used. */
  #take(texts: TlsTexts): void {
    if (isDeepStrictEqual(texts, this.#files.texts)) return;
    const { paths, minVersion, log, clock } = this.#options;
    const files = checkTexts(texts, paths);
    const nowMs = clock.wallMs();
    const why = whyNotValid(files.validity, nowMs);
    if (why !== undefined && whyNotValid(this.#files.validity, nowMs) === undefined)
      throw new Error(`server.tls.certificate: ${paths.certificate}: ${why}`);
    this.#context = secureContextOf(files, minVersion);
    this.#files = files;
    for (const listener of this.#listeners) listener(this.#context);
    this.#said = 'valid';
    for (const entry of entriesOf(files, nowMs)) log(entry);
    const until = dateOf(files.validity.untilMs);
    log({ level: 'info', message: `new certificate in use, valid until ${until}` });
  }

  /** Says once that the certificate in use is about to expire, and once that it has. */
  #watchValidity(): void {
    const { log, clock } = this.#options;
    const { untilMs } = this.#files.validity;
    const leftMs = untilMs - clock.wallMs();
    const state = leftMs <= 0 ? 'over' : leftMs <= SOON_MS ? 'soon' : 'valid';
    if (state === this.#said) return;
    this.#said = state;
    const until = dateOf(untilMs);
    if (state === 'soon')
      log({ level: 'warn', message: `server.tls.certificate: it expires at ${until}: renew it` });
    if (state === 'over')
      log({
        level: 'error',
        message: `server.tls.certificate: it expired at ${until}, and clients refuse it: replace the file, a restart is not needed`,
      });
  }
}

function entriesOf(files: TlsFiles, nowMs: number): readonly LogEntry[] {
  const { validity, clientCaValidity, warnings } = files;
  const begins = validity.fromMs > nowMs ? whyNotValid(validity, nowMs) : undefined;
  const authority = clientCaValidity && whyNotValid(clientCaValidity, nowMs);
  return [
    ...warnings.map((message): LogEntry => ({ level: 'warn', message })),
    ...errorOf('server.tls.certificate', begins),
    ...errorOf('server.tls.clientCa', authority),
  ];
}

function errorOf(key: string, why: string | undefined): readonly LogEntry[] {
  return why === undefined ? [] : [{ level: 'error', message: `${key}: ${why}` }];
}

function whyNotValid({ fromMs, untilMs }: Validity, nowMs: number): string | undefined {
  if (nowMs > untilMs)
    return `expected a certificate that is valid, found one that expired at ${dateOf(untilMs)}`;
  if (nowMs < fromMs)
    return `expected a certificate that is valid, found one that is valid from ${dateOf(fromMs)} on. Is the clock of this machine right?`;
  return undefined;
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}
