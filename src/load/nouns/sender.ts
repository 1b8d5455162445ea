/** What came back for one request. */
export type Answer = {
  /** undefined: answered with success. Otherwise the kind of refusal, as it is named: `503`, `UNAVAILABLE`. */
  readonly error: string | undefined;
  /** The head of an HTTP/1.1 answer, raw, for `headerOf`; empty on other wires. */
  readonly head: string;
  /** The body of an HTTP answer, or the message of a gRPC one without its prefix; empty where there was none. */
  readonly body: Buffer;
};

/**
 * A way to one server. It owns its connections and opens what it needs; the number of concurrent requests is up to the
 * load. Requests are already bytes: whole HTTP requests, or gRPC messages without their prefix.
 */
export interface Sender {
  /** Opens the connections for `inFlight` concurrent requests, so that the first ones do not wait for them. */
  open(inFlight: number): Promise<void>;
  /** Writes a request immediately. Rejects with an Error where the connection fails before the answer is whole. */
  send(request: Uint8Array): Promise<Answer>;
  /**
   * Gives up an answer that `send` promised, which rejects: its call is cancelled, or its connection closed where that
   * carries nothing else. A sender without it keeps waiting for answers of requests that timed out.
   */
  abandon?(answer: Promise<Answer>): void;
  close(): void;
}
