import { type ChildProcess, fork } from 'node:child_process';
import { type Deferred, deferred } from '../../concurrency/deferred.ts';
import { QUIET_HEAP } from './alarm.ts';
import type { GeneratorNews, GeneratorOrder, GeneratorPart } from './generator-message.ts';
import type { Pulse } from './pulse.ts';
import type { LoadShare } from './share.ts';

/** The error of a process that ended quotes what it wrote last: so many characters. */
const WORDS_MAX = 2_000;

type Work = {
  readonly ready: Deferred<void>;
  readonly share: Deferred<LoadShare>;
  readonly onPulse: (pulse: Pulse) => void;
};

/** The generator's end of one of its processes. */
export class GeneratorProcess {
  readonly #child: ChildProcess;
  #words = '';
  #work: Work | undefined;
  #death: Error | undefined;

  constructor() {
    const script = new URL('./main.js', import.meta.url);
    this.#child = fork(script, {
      serialization: 'advanced',
      execArgv: [...process.execArgv, ...QUIET_HEAP],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#words = (this.#words + text).slice(-WORDS_MAX);
    });
    this.#child.on('message', (news: GeneratorNews) => this.#hear(news));
    this.#child.on('error', (error) => this.#die(error.message));
    // Not `exit`: what it wrote last may come after that.
    this.#child.on('close', (code, signal) => this.#die(`it ended with ${signal ?? code}`));
  }

  /** `ready` resolves once its connections are open. Both reject with its own words where it cannot do it. */
  run(
    part: GeneratorPart,
    onPulse: (pulse: Pulse) => void,
  ): { ready: Promise<void>; share: Promise<LoadShare> } {
    const work: Work = { ready: deferred(), share: deferred(), onPulse };
    // A caller that waits for one of the two gets the error; none has to wait for both.
    for (const { promise } of [work.ready, work.share]) promise.catch(() => undefined);
    this.#work = work;
    if (this.#death) this.#fail(this.#death);
    else this.#send({ kind: 'load', part });
    return { ready: work.ready.promise, share: work.share.promise };
  }

  begin(wallMs: number): void {
    this.#send({ kind: 'begin', wallMs });
  }

  /** Nothing more is sent. */
  end(): void {
    this.#send({ kind: 'end' });
  }

  /** Kills the process immediately: it holds no state worth saving. */
  close(): void {
    this.#child.kill('SIGKILL');
  }

  #send(order: GeneratorOrder): void {
    // Where it has just died its end says so.
    if (this.#child.connected) this.#child.send(order, () => undefined);
  }

  #hear(news: GeneratorNews): void {
    switch (news.kind) {
      case 'ready':
        this.#work?.ready.resolve();
        break;
      case 'pulse':
        this.#work?.onPulse(news.pulse);
        break;
      case 'done':
        this.#work?.share.resolve(news.share);
        break;
      case 'failed':
        this.#fail(new Error(`the load generator failed: ${news.message}`));
    }
  }

  #die(how: string): void {
    const words = this.#words.trim();
    this.#death ??= new Error(
      `the load generator ended before its load did: ${how}${words === '' ? '' : `\n${words}`}`,
    );
    this.#fail(this.#death);
  }

  #fail(error: Error): void {
    this.#work?.ready.reject(error);
    this.#work?.share.reject(error);
  }
}
