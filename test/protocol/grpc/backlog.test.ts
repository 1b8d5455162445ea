import t from 'tap';
import { CLIENTS, connectedWhileBusy, FEWER_MAY_WAIT } from '../clients-at-once.ts';
import { aConversation } from './builders.ts';

t.test(
  'clients that connect together, while the thread is busy, all get through',
  { skip: FEWER_MAY_WAIT },
  async (t) => {
    const { port } = await aConversation(t);
    t.equal(await connectedWhileBusy(port), CLIENTS);
  },
);
