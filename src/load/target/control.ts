import type { Target } from '../nouns/target.ts';

/** Of the server itself, of the model, what the model has done, and which models there are. */
export type Question = 'server' | 'model' | 'statistics' | 'index';

/**
 * What a server said. Answers have the fields of the protocol's JSON, whichever way they came; nothing else is known of them.
 */
export type Reply =
  | { readonly kind: 'answer'; readonly value: unknown }
  | {
      readonly kind: 'refusal';
      /** `404`, `UNIMPLEMENTED`. */
      readonly status: string;
      readonly details: string;
    };

/** Asks a target's server; the wire decides how. `ask` rejects with a TargetError where nothing can be asked. */
export interface Control {
  /** The name of what is asked, for messages: `GET http://127.0.0.1:8000/v2`. */
  nameOf(question: Question): string;
  ask(question: Question): Promise<Reply>;
}

/** A question that has no answer by then has failed. */
export const CONTROL_MS_MAX = 5_000;

export function isGrpc({ protocol }: Target): boolean {
  return protocol === 'grpc' || protocol === 'grpc-stream';
}
