import type { RequestHead } from './request-head.ts';

/** Longer JSON is rarely sent twice. */
const JSON_BYTES_MAX = 1_024;

/** More than the kinds of request that one server sees; past it, the oldest is forgotten. */
const HEADS_MAX = 256;

/**
 * Heads of requests whose tensors are all in binary, by the very bytes of their JSON. Clients send the same JSON before ever new
 * tensors, and finding it here costs a tenth of parsing and checking it again. What differs from one request to the next, an id
 * or a sequence, is no use here and not kept.
 */
export class KnownHeads {
  readonly #heads = new Map<string, RequestHead>();

  find(json: Buffer): RequestHead | undefined {
    return json.byteLength > JSON_BYTES_MAX ? undefined : this.#heads.get(keyOf(json));
  }

  /** Keeps a head that was read from this JSON, if it may come again. */
  keep(json: Buffer, head: RequestHead): void {
    if (json.byteLength > JSON_BYTES_MAX || !mayComeAgain(head)) return;
    if (this.#heads.size >= HEADS_MAX) this.#forgetOldest();
    this.#heads.set(keyOf(json), head);
  }

  #forgetOldest(): void {
    for (const key of this.#heads.keys()) {
      this.#heads.delete(key);
      return;
    }
  }
}

/** One character for each byte, so that no two differ in bytes and not in this. */
function keyOf(json: Buffer): string {
  return json.toString('latin1');
}

function mayComeAgain({ id, parameters, inputs }: RequestHead): boolean {
  if (id !== undefined || parameters.sequenceId !== undefined) return false;
  return inputs.every((input) => input.place.kind === 'binary');
}
