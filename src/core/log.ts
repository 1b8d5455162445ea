/** One thing that happened, for its operators. */
export type LogEntry = {
  readonly level: 'info' | 'warn' | 'error';
  /** A sentence that can be acted on. */
  readonly message: string;
  /** What the sentence is about, by name. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
};

export type Log = (entry: LogEntry) => void;
