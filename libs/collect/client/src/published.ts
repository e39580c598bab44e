// Exports of the npm package; docs/reference/client.md is generated from them. Packages of this repository import
// `index.ts`, which also exports the ports.
export type { KindName } from '@tidemark/model';
export type { ErrorCode, ErrorDetail } from '@tidemark/ports';
export { isTidemarkError, TidemarkError } from '@tidemark/ports';
export { Client } from './client.ts';
export type { ConnectOptions } from './connect.ts';
export { connect } from './connect.ts';
export type { FlushOptions, FlushResult } from './flush-result.ts';
export type { SeriesHandle } from './gathered-series.ts';
export type { GrpcConnectorOptions } from './grpc-connector.ts';
export type { MetricDescription } from './metric-statements.ts';
export type { ClientOptions, ClientRejection, ClientWarning } from './options.ts';
export { DEFAULT_CLIENT_OPTIONS } from './options.ts';
export type { ClientStats } from './stats.ts';
