import { messageOf } from '../../core/errors.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { AnswerCheck } from '../nouns/answer-check.ts';
import { outputsDifference } from './compare-outputs.ts';
import { type OutputsPart, outputsPart, readOutputs } from './read-answer.ts';

/** Says what differs in the answer to the request at `place`; undefined: it is as expected. Never throws. */
export type CheckAnswer = (place: number, body: Buffer, head: string) => string | undefined;

/**
 * A checker of answers to a plan's requests. Where no outputs are expected of a request, its first readable answer becomes the
 * expectation. It keeps the outputs part of one good answer for each request, so that further answers with the same bytes need not be
 * read.
 */
export function answerChecker(check: AnswerCheck): CheckAnswer {
  const good = new Map<number, OutputsPart>();
  const first = new Map<number, readonly Tensor[]>();
  return (place, body, head) => {
    try {
      const part = outputsPart(check.form, body, head);
      const known = good.get(place);
      if (known !== undefined && isSamePart(known, part)) return undefined;
      const found = readOutputs(check.form, body, head);
      const expected = check.expected[place] ?? first.get(place);
      if (expected === undefined) first.set(place, owned(found));
      const difference =
        expected === undefined ? undefined : outputsDifference(expected, found, check);
      if (difference === undefined && known === undefined) good.set(place, ownedPart(part));
      return difference;
    } catch (error) {
      return `unreadable answer: ${messageOf(error)}`;
    }
  };
}

function isSamePart(known: OutputsPart, part: OutputsPart): boolean {
  return known.jsonBytes === part.jsonBytes && known.bytes.equals(part.bytes);
}

/** An answer's bytes may be a view of a larger buffer, which must not be kept. */
function ownedPart({ bytes, jsonBytes }: OutputsPart): OutputsPart {
  return { bytes: Buffer.from(bytes), jsonBytes };
}

function owned(tensors: readonly Tensor[]): readonly Tensor[] {
  return tensors.map((tensor) => ({ ...tensor, data: Uint8Array.from(tensor.data) }));
}
