/** Pieces that several plans have in common. */
import { type Inner, type Step, some } from './row-model.ts';

/** The number of each row. */
export const IOTA: readonly Step[] = [
  ['Shape', 'x', 'shape', { end: { int: 1 } }],
  ['Squeeze', 'shape zero', 'count'],
  ['Range', 'zeroth count at1', 'iota'],
];

const NEGATED: Inner = { steps: [['Neg', 'x', 'n']], outputs: [some('n', [-1, 4])] };
const KEPT: Inner = { steps: [['Identity', 'x', 'k']], outputs: [some('k', [-1, 4])] };
/** Turns the sign, or leaves it. */
export const CHOICE = { then_branch: { graph: NEGATED }, else_branch: { graph: KEPT } };
