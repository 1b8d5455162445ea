/** What is kept of compared requests, so that their differences can be looked at, labelled and replayed. */
export type ExampleSetting = {
  /** `scores`: how far the answers differ, and a short form of both; `bodies`: the tensors of request and answers too. */
  readonly keep: 'off' | 'scores' | 'bodies';
  /** Of all kept examples of the model. */
  readonly bytesMax: number;
  /** How long one is kept, milliseconds. */
  readonly ageMsMax: number;
  /** Inputs whose values are never kept. */
  readonly redact: readonly string[];
};
