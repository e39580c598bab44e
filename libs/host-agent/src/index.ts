export type { AgentSettings, HostAgentPlace } from './host-agent.ts';
export { HostAgent } from './host-agent.ts';
