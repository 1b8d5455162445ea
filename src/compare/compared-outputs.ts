import {
  type ComparatorSetting,
  type Family,
  type FamilySetting,
  mergedSetting,
} from '../core/comparator-setting.ts';
import type { RolloutSpec } from '../core/rollout.ts';
import type { Signature, TensorSpec } from '../core/tensor.ts';
import { FAMILY_RULES, familiesOfTask } from './families.ts';

/** What is known of a package when its answers are to be compared. */
export type ComparatorChoice = {
  readonly task: string | undefined;
  readonly compare: ComparatorSetting | undefined;
  readonly signature: Signature;
};

/** What a rollout claims of the answers, and the rules it began with: those of before versions did not look at distributions. */
export type ComparedClaim = Pick<RolloutSpec, 'intent' | 'rules' | 'compare'>;

/** An output that is compared, and how. */
export type ComparedOutput = {
  readonly family: Family;
  readonly output: TensorSpec;
  readonly setting: FamilySetting;
};

/** What a version's package says, and over it the operator: the configuration and the rollout, which the rollout has recorded. */
export function settingOf(
  { compare }: Pick<ComparatorChoice, 'compare'>,
  spec: Pick<RolloutSpec, 'compare'>,
): ComparatorSetting | undefined {
  return mergedSetting(compare, spec.compare);
}

/**
 * The outputs that a family of their own compares; none: the whole answer is compared as any tensors. Those that `outputs` names a
 * comparator for, else the one of `comparator`, else the one of the task.
 *
 * Throws an Error that names expected and found where the setting contradicts the signature, or itself.
 */
export function comparedOutputs({
  task,
  compare = {},
  signature,
}: ComparatorChoice): readonly ComparedOutput[] {
  checkOutputNames(compare, signature);
  const named = namedOutputs(compare, signature);
  if (named.length > 0) return named;
  const families = compare.comparator === undefined ? familiesOfTask(task) : [compare.comparator];
  const [first] = families;
  if (first === undefined || first === 'anyTensor') return [];
  const isCandidate = (spec: TensorSpec): boolean =>
    compare.outputs?.[spec.name]?.comparator !== 'none' &&
    (compare.output === undefined || spec.name === compare.output);
  const candidates = signature.outputs.filter(isCandidate);
  const found =
    firstFound(families, candidates, false) ??
    (compare.output === undefined ? undefined : firstFound(families, candidates, true));
  if (found !== undefined) {
    const { [found.output.name]: own } = compare.outputs ?? {};
    return [{ ...found, setting: { ...compare, ...own } }];
  }
  if (compare.comparator === undefined && compare.output === undefined) return [];
  const of = compare.output === undefined ? '' : ` named "${compare.output}"`;
  throw new Error(
    `compare: expected an output of ${FAMILY_RULES[first].reads}${of}, found ${outputsOf(signature)}`,
  );
}

/** The first of the families that finds an output which holds what it reads. */
function firstFound(
  families: readonly Family[],
  outputs: readonly TensorSpec[],
  isNamed: boolean,
): Omit<ComparedOutput, 'setting'> | undefined {
  for (const family of families) {
    const output = FAMILY_RULES[family].outputOf(outputs, isNamed);
    if (output !== undefined) return { family, output };
  }
  return undefined;
}

function namedOutputs(compare: ComparatorSetting, signature: Signature): readonly ComparedOutput[] {
  return signature.outputs.flatMap((output) => {
    const setting = compare.outputs?.[output.name];
    const family = setting?.comparator;
    if (setting === undefined || family === undefined || family === 'none') return [];
    checkKeys(output.name, family, setting);
    if (FAMILY_RULES[family].outputOf([output], true) === undefined) {
      throw new Error(
        `compare.outputs.${output.name}: expected an output of ${FAMILY_RULES[family].reads} for ${family}, found ${specText(output)}`,
      );
    }
    return [{ family, output, setting }];
  });
}

/** A setting that its family does not read would be believed to do something. */
function checkKeys(output: string, family: Family, setting: FamilySetting): void {
  const known: readonly string[] = FAMILY_RULES[family].keys;
  const unknown = Object.entries(setting).find(
    ([key, value]) =>
      value !== undefined && key !== 'comparator' && key !== 'nonFinite' && !known.includes(key),
  );
  if (unknown === undefined) return;
  throw new Error(
    `compare.outputs.${output}: expected settings of ${family} (${known.join(', ') || 'it has none'}), found ${unknown[0]}`,
  );
}

function checkOutputNames(compare: ComparatorSetting, signature: Signature): void {
  const unknown = Object.keys(compare.outputs ?? {}).find(
    (name) => !signature.outputs.some((spec) => spec.name === name),
  );
  if (unknown === undefined) return;
  throw new Error(
    `compare.outputs: expected outputs of the model (${outputsOf(signature)}), found "${unknown}"`,
  );
}

function outputsOf(signature: Signature): string {
  return signature.outputs.map(specText).join(', ');
}

function specText({ name, shape }: TensorSpec): string {
  return `${name}[${shape.join(',')}]`;
}
