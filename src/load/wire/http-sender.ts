import type { Answer, Sender } from '../nouns/sender.ts';
import type { Address } from '../nouns/wire.ts';
import { HttpConnection } from './http-connection.ts';

/** Max connections opened concurrently, so that they fit the server's listen backlog. */
const OPENING_MAX = 64;

type Line = {
  readonly connection: HttpConnection;
  readonly release: () => void;
  answer: Promise<Answer> | undefined;
};

/** Requests over HTTP/1.1, one at a time on each connection. A request that finds none idle opens one more. */
export class HttpSender implements Sender {
  readonly #address: Address;
  readonly #lines = new Set<Line>();
  readonly #idle: Line[] = [];
  #isClosed = false;

  constructor(address: Address) {
    this.#address = address;
  }

  async open(inFlight: number): Promise<void> {
    while (this.#idle.length < inFlight) {
      const count = Math.min(OPENING_MAX, inFlight - this.#idle.length);
      const opening = Array.from({ length: count }, () => HttpConnection.open(this.#address));
      const opened = await Promise.allSettled(opening);
      // Those that are open are of use, even if others failed.
      for (const each of opened)
        if (each.status === 'fulfilled') this.#idle.push(this.#keep(each.value));
      // The caller may have given up waiting.
      if (this.#isClosed) return this.close();
      for (const each of opened) if (each.status === 'rejected') throw each.reason;
    }
  }

  send(request: Uint8Array): Promise<Answer> {
    const line = this.#idleLine() ?? this.#keep(new HttpConnection(this.#address));
    const answer = line.connection.request(request, line.release);
    line.answer = answer;
    return answer;
  }

  abandon(answer: Promise<Answer>): void {
    for (const line of this.#lines) if (line.answer === answer) line.connection.close();
  }

  close(): void {
    this.#isClosed = true;
    for (const { connection } of this.#lines) connection.close();
    this.#lines.clear();
  }

  #keep(connection: HttpConnection): Line {
    const line: Line = { connection, release: () => this.#release(line), answer: undefined };
    this.#lines.add(line);
    return line;
  }

  /** The one used last: those that a server closes for being idle are then the ones that are not needed. */
  #idleLine(): Line | undefined {
    for (let line = this.#idle.pop(); line; line = this.#idle.pop()) {
      if (line.connection.usable) return line;
      this.#lines.delete(line);
    }
    return undefined;
  }

  #release(line: Line): void {
    line.answer = undefined;
    if (line.connection.usable) this.#idle.push(line);
    else this.#lines.delete(line);
  }
}
