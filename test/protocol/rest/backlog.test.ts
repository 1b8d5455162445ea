import t from 'tap';
import { CLIENTS, connectedWhileBusy, FEWER_MAY_WAIT } from '../clients-at-once.ts';
import { aServer } from './builders.ts';

t.test(
  'clients that connect together, while the thread is busy, all get through',
  { skip: FEWER_MAY_WAIT },
  async (t) => {
    const server = aServer();
    t.teardown(() => server.close());
    const { port } = await server.listen('127.0.0.1', 0);
    t.equal(await connectedWhileBusy(port), CLIENTS);
  },
);
