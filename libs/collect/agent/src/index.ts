export { Agent } from './agent.ts';
export type { AgentClient, AgentSeries } from './agent-client.ts';
export { agentClientOptions } from './agent-client.ts';
export type { AgentOptions, DogStatsDOptions } from './options.ts';
export { closedServer } from './servers.ts';
export type { AgentStatus } from './status.ts';
