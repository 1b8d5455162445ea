import t from 'tap';
import { checkAuthority, labellerOf } from '../../src/capture/label-authority.ts';
import type { Asker } from '../../src/core/entrance.ts';
import { ANY_ASKER } from '../../src/core/entrance.ts';
import type { LabelAuthority, LabelSource } from '../../src/core/label-source.ts';

function anAsker(name: string, mayLabel = true): Asker {
  const caller = { name, grants: [] };
  return { caller, may: (role) => role === 'label' && mayLabel, check: () => undefined };
}

function takes(from: LabelAuthority, plane: LabelSource['plane'], asker: Asker): boolean {
  try {
    checkAuthority({ model: 'm', from, source: { plane, address: '10.0.0.1', asker } });
    return true;
  } catch (error) {
    t.match(error, { code: 'forbidden' });
    return false;
  }
}

t.test('each authority takes labels from its own, and from no other', async (t) => {
  const [rater, other] = [anAsker('key:rater'), anAsker('key:other', false)];
  t.same([takes('any', 'data', ANY_ASKER), takes('any', 'admin', rater)], [true, true]);
  t.same([takes('admin', 'data', rater), takes('admin', 'admin', ANY_ASKER)], [false, true]);
  t.same([takes('role:label', 'data', rater), takes('role:label', 'admin', other)], [true, false]);
  t.same(
    [takes(['key:rater'], 'data', rater), takes(['key:rater'], 'admin', other)],
    [true, false],
  );
});

t.test('where nothing is known of callers no label has an author', async (t) => {
  for (const asker of [ANY_ASKER, anAsker('anonymous')]) {
    t.equal(takes('role:label', 'admin', asker), false);
    t.equal(takes(['key:rater'], 'data', asker), false);
  }
});

t.test('limits count by caller where it is known, else by address', async (t) => {
  const source = { plane: 'data', address: '10.0.0.1' } as const;
  t.equal(labellerOf({ ...source, asker: anAsker('user:ann') }), 'user:ann');
  t.equal(labellerOf({ ...source, asker: anAsker('anonymous') }), '10.0.0.1');
  t.equal(labellerOf({ ...source, asker: ANY_ASKER }), '10.0.0.1');
});
