import { type Comparator, largestOf } from './comparator.ts';
import { anyTensor } from './comparators/any-tensor.ts';
import {
  type ComparatorChoice,
  type ComparedClaim,
  comparedOutputs,
  settingOf,
} from './compared-outputs.ts';
import { FAMILY_RULES } from './families.ts';

/**
 * The comparator that the package and the rollout ask for, else the default of the task, else any tensor. Under intent `equivalent`
 * class scores must keep their distribution too: it is what "the same answers" says.
 * Throws an Error that names expected and found where the setting contradicts the signature.
 */
export function chooseComparator(choice: ComparatorChoice, claim: ComparedClaim): Comparator {
  const compare = settingOf(choice, claim);
  const outputs = comparedOutputs({ ...choice, compare });
  const isEquivalent = claim.intent === 'equivalent' && claim.rules !== undefined;
  if (outputs.length > 0) {
    return largestOf(
      outputs.map(({ family, output, setting }) =>
        FAMILY_RULES[family].comparator({ output, setting, isEquivalent }),
      ),
    );
  }
  const leftOut = Object.entries(compare?.outputs ?? {}).filter(
    ([, { comparator }]) => comparator === 'none',
  );
  return anyTensor({ ...compare, except: leftOut.map(([name]) => name) });
}
