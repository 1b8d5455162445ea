import type { TlsFileOptions } from '../tls-files.ts';

/** The options that every mode takes, as the parser gives them: text. */
export type LoadOptions = TlsFileOptions & {
  readonly model: string;
  readonly url: string;
  readonly modelVersion?: string;
  readonly protocol?: string;
  readonly header?: readonly string[];
  readonly apiKeyFile?: string;
  readonly allowPlaintext?: boolean;
  readonly insecure?: boolean;
  readonly batch: string;
  readonly shape?: readonly string[];
  readonly samples: string;
  readonly inputData?: string;
  readonly images?: string;
  readonly imageRange?: string;
  readonly check?: boolean;
  readonly tolerance: string;
  readonly deadline: string;
  readonly timeout: string;
  readonly warmup: string;
  readonly duration: string;
  readonly inFlight: string;
  readonly connections: string;
  readonly processes: string;
  readonly seed?: string;
  readonly out?: string;
  readonly output: string;
};

/** What says when requests start. */
export type ArrivalOptions = {
  readonly rate?: string;
  readonly arrivals: string;
  readonly concurrency?: string;
};

export type RunOptions = LoadOptions & ArrivalOptions;
export type SweepOptions = LoadOptions & { readonly loads: string };
export type CompareOptions = RunOptions & {
  readonly bUrl?: string;
  readonly bModel?: string;
  readonly bModelVersion?: string;
  readonly bProtocol?: string;
  readonly rounds: string;
  readonly confidence: string;
};
export type SloOptions = LoadOptions & {
  readonly within: string;
  readonly quantile: string;
  readonly confidence: string;
  readonly from?: string;
};
export type SoakOptions = LoadOptions & ArrivalOptions & { readonly watchPid?: string };
