export type { GrpcLimits, GrpcServerOptions } from './grpc-server.ts';
export { DEFAULT_GRPC_LIMITS, GrpcServer } from './grpc-server.ts';
export { HttpServer } from './http-server.ts';
export { Started, stopEach } from './started.ts';
