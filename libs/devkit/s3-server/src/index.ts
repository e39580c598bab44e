export type { PickFault, S3Fault } from './fault-proxy.ts';
export { S3FaultProxy } from './fault-proxy.ts';
export { gatewayProgram } from './gateway-program.ts';
export { S3Server } from './s3-server.ts';
export { whyNoS3 } from './why-no-s3.ts';
