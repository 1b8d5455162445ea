import type { Signature, Tensor } from '../core/tensor.ts';
import { absentOutput, whyAnswerUnfit } from './answer-fit.ts';

/** Called once for each output that does not match its declaration, with what was expected and found. */
export type OnBroken = (output: string, why: string) => void;

/**
 * What a version's answers keep to of what its file declares. Published files declare wrong shapes, and the version is served as
 * it answers all the same; what its own answers do not keep to is then asked of no other version that stands in for it.
 */
export class KeptForm {
  readonly #onBroken: OnBroken;
  #signature: Signature;

  constructor(declared: Signature, onBroken: OnBroken) {
    this.#signature = declared;
    this.#onBroken = onBroken;
  }

  /** The declaration, less the outputs that answers have not kept to. */
  signature(): Signature {
    return this.#signature;
  }

  /** `wanted`: the outputs that the caller asked for; undefined: all. */
  learn(outputs: readonly Tensor[], wanted: readonly string[] | undefined): void {
    const absent = absentOutput(outputs, this.#signature, wanted);
    if (absent !== undefined) {
      this.#drop(absent, `output '${absent}': expected it as declared, found none`);
    }
    for (const output of outputs) {
      if (!this.#declares(output.name)) continue;
      const why = whyAnswerUnfit([output], this.#signature);
      if (why !== undefined) this.#drop(output.name, why);
    }
  }

  #declares(output: string): boolean {
    return this.#signature.outputs.some(({ name }) => name === output);
  }

  #drop(output: string, why: string): void {
    const outputs = this.#signature.outputs.filter(({ name }) => name !== output);
    this.#signature = { ...this.#signature, outputs };
    this.#onBroken(output, why);
  }
}
