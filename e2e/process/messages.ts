import type { EmbeddedLogLimits } from '@tidemark/embedded-log';
import type { IntakeLimits, LaneTiming } from '@tidemark/intake';
import type { PointLimits } from '@tidemark/model';
import type { PointStoreLimits } from '@tidemark/point-store';
import type { ErrorCode, ErrorDetail, Topic } from '@tidemark/ports';
import type { QueryServiceLimits } from '@tidemark/query';

/** Options of a platform under test. Everything else is as in `npm start`, but with shorter waits. */
export interface PlatformSettings {
  readonly folder: string;
  readonly host?: string;
  readonly httpPort?: number;
  readonly grpcPort?: number;
  /** Open connections, of HTTP and of gRPC each. */
  readonly connections?: number;
  /** How long an HTTP request may take to arrive, ms. */
  readonly receiveMs?: number;
  readonly partitions?: number;
  readonly latenessMs?: number;
  readonly tenantSeries?: number;
  readonly metricSeries?: number;
  readonly intake?: Partial<IntakeLimits & PointLimits>;
  readonly timing?: Partial<LaneTiming>;
  readonly points?: Partial<PointStoreLimits>;
  readonly log?: Partial<EmbeddedLogLimits>;
  readonly query?: Partial<QueryServiceLimits>;
}

export interface PlatformEvent {
  readonly level: 'info' | 'error' | 'fatal';
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Messages from the test to the process of its platform. */
export type ToPlatform =
  | { readonly type: 'stop' }
  /** Appends bytes to the log without the intake. */
  | { readonly type: 'append'; readonly topic: Topic; readonly partition: number; readonly hex: string };

/** Messages from the process of a platform to the test. */
export type FromPlatform =
  | { readonly type: 'ready'; readonly httpPort: number; readonly grpcPort: number }
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly message: string; readonly detail: ErrorDetail }
  | { readonly type: 'appended'; readonly offset: number }
  | { readonly type: 'event'; readonly event: PlatformEvent };
