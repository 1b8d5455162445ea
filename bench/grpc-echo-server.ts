/**
 * The limit that the gateway's gRPC is held against: a stock grpc-js server, no option of it changed, whose calls take bytes and
 * give bytes. Nothing is decoded. Started with `fork`; sends its port.
 */
import { Server, ServerCredentials, type UntypedHandleCall } from '@grpc/grpc-js';
import type { GrpcEchoNews } from './grpc-echo-process.ts';

const bytesBothWays = {
  requestStream: false,
  responseStream: false,
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs,
};
const FEW_BYTES = Buffer.alloc(64, 1);

const server = new Server();
server.addService(
  {
    Echo: { ...bytesBothWays, path: '/bench.Echo/Echo' },
    Take: { ...bytesBothWays, path: '/bench.Echo/Take' },
  },
  { Echo: answering((request) => request), Take: answering(() => FEW_BYTES) },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  const news: GrpcEchoNews = { kind: 'listening', port };
  process.send?.(news);
});
// The bench is gone.
process.on('disconnect', () => process.exit());

function asItIs(bytes: Buffer): Buffer {
  return bytes;
}

function answering(answerOf: (request: Buffer) => Buffer): UntypedHandleCall {
  return (call: { request: Buffer }, done: (error: null, answer: Buffer) => void) =>
    done(null, answerOf(call.request));
}
