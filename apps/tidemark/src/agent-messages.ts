import type { AgentSettings, HostAgent, HostAgentPlace } from '@tidemark/host-agent';
import type { MemoryUse } from '@tidemark/node-runtime';
import type { ErrorCode, ErrorDetail } from '@tidemark/ports';

/** What the thread of the agent is started with: only what can be copied to it. */
export interface AgentStart {
  readonly settings: AgentSettings;
  readonly place: Pick<HostAgentPlace, 'addresses' | 'key' | 'spoolFolder' | 'hostname' | 'platform'>;
  /** Folder of compiled code, which the threads of a process share. */
  readonly compileCache: string | undefined;
}

/** Messages of the thread; the platform sends only `stop`. */
export type FromAgent =
  | { readonly type: 'ready'; readonly dogstatsd: string }
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly message: string; readonly detail: ErrorDetail }
  | { readonly type: 'status'; readonly status: HostAgent['status']; readonly memory: readonly MemoryUse[] }
  | { readonly type: 'problem'; readonly message: string; readonly detail: Readonly<Record<string, string>> };
