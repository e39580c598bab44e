export type { LocalClusterOptions, ServiceEndpoint } from './local-cluster.ts';
export { LocalCluster } from './local-cluster.ts';
export type { ServiceKind, ServicePorts } from './service-process.ts';
export { ServiceProcess } from './service-process.ts';
