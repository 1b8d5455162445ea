import t from 'tap';
import { ownTensors } from '../../src/core/own-tensors.ts';

t.test(
  'a few bytes of a large message are copied out of it, and most of one are not',
  async (t) => {
    const message = new Uint8Array(1_000_000).fill(7);
    const tensor = { name: 'x', dtype: 'UINT8', shape: [8] } as const;
    const [few] = ownTensors([{ ...tensor, data: message.subarray(8, 16) }]);
    t.same(few?.data, new Uint8Array(8).fill(7));
    t.equal(few?.data.buffer.byteLength, 8);
    const most = [{ ...tensor, data: message.subarray(8, 900_000) }];
    t.equal(ownTensors(most), most);
  },
);
