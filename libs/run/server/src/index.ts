export { Connections } from './connections.ts';
export type { TenantOfCall } from './grpc-connections.ts';
export type { GrpcLimits, GrpcServerOptions } from './grpc-server.ts';
export { GrpcServer } from './grpc-server.ts';
export { HttpServer } from './http-server.ts';
export { peersOnly } from './peers-only.ts';
export { Started, stopEach } from './started.ts';
export type { TlsFiles } from './tls.ts';
export { channelCredentials, serverCredentials } from './tls.ts';
