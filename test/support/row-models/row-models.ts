import { APART } from './apart-plans.ts';
import { DISGUISED_MIXED } from './disguised-plans.ts';
import { LOOKALIKES_APART } from './lookalike-plans.ts';
import { MIXED } from './mixed-plans.ts';
import { aRowModel, type Plan, type RowModel } from './row-model.ts';

/** All models, those that mix rows first. */
export function rowModels(): readonly RowModel[] {
  const made = (plans: Readonly<Record<string, Plan>>, expected: RowModel['expected']) =>
    Object.entries(plans).map(([name, plan]) => aRowModel(name, expected, plan));
  return [
    ...made({ ...MIXED, ...DISGUISED_MIXED }, 'mixed'),
    ...made({ ...APART, ...LOOKALIKES_APART }, 'apart'),
  ];
}
