import { status } from '@grpc/grpc-js';
import t from 'tap';
import { GRPC_STATUS_NAMES } from '../../src/core/grpc-status-names.ts';

t.test("the names stand at the numbers that gRPC's library gives them", (t) => {
  for (const [number, name] of GRPC_STATUS_NAMES.entries()) t.equal(status[number], name);
  t.equal(status[GRPC_STATUS_NAMES.length], undefined, 'none is missing');
  t.end();
});
