/** The log settings of the protocol, as far as they mean something here. */
export type LogSettings = {
  readonly logInfo: boolean;
  readonly logWarning: boolean;
  readonly logError: boolean;
};

/** What callers may read and change while the server runs. */
export type ServerSettings = {
  readonly log: () => LogSettings;
  /** Takes effect immediately, for this process only. */
  readonly setLog: (settings: Partial<LogSettings>) => void;
};
