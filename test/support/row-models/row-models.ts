import { APART } from './apart-plans.ts';
import { MIXED } from './mixed-plans.ts';
import { aRowModel, type Plan, type RowModel } from './row-model.ts';

/** All models, those that mix rows first. */
export function rowModels(): readonly RowModel[] {
  const made = (plans: Readonly<Record<string, Plan>>, expected: RowModel['expected']) =>
    Object.entries(plans).map(([name, plan]) => aRowModel(name, expected, plan));
  return [...made(MIXED, 'mixed'), ...made(APART, 'apart')];
}
