import type { Asker } from './entrance.ts';

/** Which request a label is for: the one whose answer had the token, or the one of this model that its caller gave the id. */
export type LabelTarget =
  | { readonly token: string }
  | { readonly id: string; readonly model: string };

/** Where a label came in, and who brought it. */
export type LabelSource = {
  /** The plane that it came in by. */
  readonly plane: 'data' | 'admin';
  /** The IP address of the caller. */
  readonly address: string;
  readonly asker: Asker;
};

/**
 * Whose labels of a model are taken, of those that may label it at all: of anyone with a token, those that come by the admin port, of
 * callers that have said who they are and have the role, or of the callers that are named.
 */
export type LabelAuthority = 'any' | 'admin' | 'role:label' | readonly string[];
