export type { PeerOptions, UnaryMethod } from './peer-calls.ts';
export { peerCaller, peerChannel } from './peer-calls.ts';
export { withRequestLimit } from './request-size.ts';
export { runQuery } from './run-query.ts';
export type { SendMessage } from './server-stream.ts';
export { callStream, readStream, serveStream } from './server-stream.ts';
export type { GrpcError } from './status-error.ts';
export { fromGrpcError, grpcError, toGrpcError } from './status-error.ts';
export { callUnary, serveUnary } from './unary.ts';
