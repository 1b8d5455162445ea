import type { TensorSpec } from '../../src/core/tensor.ts';
import type { KitTensor } from '../conformance/wire/tensor.ts';
import type { RowModel } from '../support/row-models/row-model.ts';
import type { TestdataModel } from '../support/row-models/testdata-models.ts';
import { JOINED_TESTDATA } from './joined-testdata.ts';

/** Where a model runs: in the gateway's process, or in one of its own. */
export type Tier = 'thread' | 'process';

/** A model under examination. */
export type Examinee = {
  /** As the gateway knows it. */
  readonly id: string;
  /** Its common name. */
  readonly name: string;
  readonly source: 'generated' | 'testdata';
  readonly tier: Tier;
  /** Whether its requests are to share runs; undefined: either is well, as long as the answers are right. */
  readonly expected: 'joined' | 'alone' | undefined;
  readonly bytes: Uint8Array;
  readonly inputs: readonly TensorSpec[];
  /** Whole numbers that it takes are from 0 up to this. */
  readonly below: number;
  /** Requests are made from it, where there is one: what its numbers mean is not known. */
  readonly example: readonly KitTensor[] | undefined;
  /** The configuration says that its rows may share runs, true or not. */
  readonly isDeclared: boolean;
};

export function fromRowModel(model: RowModel, tier: Tier): Examinee {
  const { name, bytes, inputs, below } = model;
  return {
    ...{ id: idOf(name, tier), name, source: 'generated', tier, bytes, inputs, below },
    expected: model.expected === 'apart' ? 'joined' : 'alone',
    example: undefined,
    isDeclared: false,
  };
}

export function fromTestdata(model: TestdataModel, tier: Tier): Examinee {
  const { name, bytes, inputs, example } = model;
  return {
    ...{ id: idOf(name, tier), name, source: 'testdata', tier, bytes, inputs, example },
    expected: JOINED_TESTDATA.has(name) ? 'joined' : undefined,
    below: 2,
    isDeclared: false,
  };
}

function idOf(name: string, tier: Tier): string {
  return `${name.replaceAll(/[^A-Za-z0-9]+/g, '_').toLowerCase()}_${tier}`;
}
