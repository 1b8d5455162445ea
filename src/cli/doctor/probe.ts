import { messageOf } from '../../core/errors.ts';
import { requiredInputs } from '../../core/tensor.ts';
import { zeros } from '../../core/zeros.ts';
import { chooseRuntime } from '../../runtime/choose-runtime.ts';
import type { Source } from '../../runtime/runtime.ts';

/** What a trial run comes to; one line of JSON on standard output. */
export type Probed =
  | { readonly kind: 'answered'; readonly outputs: readonly string[] }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'notLoaded'; readonly why: string };

/** Loads the source of the first argument and runs it on zeros: in a process of its own, which a fault of a model may end. */
async function probe(source: Source): Promise<Probed> {
  try {
    const model = await (await chooseRuntime(source)).open(source);
    try {
      const outputs = await model.run(requiredInputs(model.signature).map(zeros));
      return { kind: 'answered', outputs: outputs.map(({ name }) => name) };
    } catch (error) {
      return { kind: 'refused', why: messageOf(error) };
    }
  } catch (error) {
    return { kind: 'notLoaded', why: messageOf(error) };
  }
}

process.stdout.write(`${JSON.stringify(await probe(JSON.parse(process.argv[2] ?? '')))}\n`);
