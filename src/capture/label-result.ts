/**
 * What became of a label. `joined`: the answers to its request are known. `waiting`: they are under way. `notSampled`: the answer
 * is not compared, nothing is wrong. `duplicate`: the answer has its label. `unmatched`: compared, but no pair came of it, it has
 * been forgotten, or its label window has ended.
 */
export type LabelResult = 'joined' | 'waiting' | 'notSampled' | 'duplicate' | 'unmatched';
