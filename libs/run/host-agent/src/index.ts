export type { AgentSettings, HostAgentPlace } from './host-agent.ts';
export { HostAgent } from './host-agent.ts';
export type { StatusServerOptions } from './status-server.ts';
export { serveStatus } from './status-server.ts';
