export type { CompletenessDelay } from './completeness-delays.ts';
export { completenessDelaysOf, delaySentence } from './completeness-delays.ts';
export type { Examination, Outcome } from './examine.ts';
export { examine } from './examine.ts';
export type { Finding, FindingKind, Severity } from './finding.ts';
export { FINDING_KINDS, runbookOf } from './finding.ts';
export { formatBytes, formatCount, formatDuration, shortId } from './format-values.ts';
export { isNoted } from './judge-refused.ts';
export type {
  Answered,
  ClientView,
  HealthView,
  KafkaObservation,
  Observations,
  ProblemView,
  ProcessKind,
  ProcessObservation,
  Unanswered,
} from './observations.ts';
export type { Halted } from './partition-states.ts';
export { completeThroughOf, gapSentences, gapWords, haltsOf, tagLagsOf } from './partition-states.ts';
export type {
  DivergenceView,
  GapView,
  LaneView,
  PartErrorView,
  PipelineView,
  PointPartitionView,
  ReadingView,
  ReplicaView,
  SessionView,
  TagPartitionView,
} from './pipeline-view.ts';
export { LATE_MARK_MS } from './thresholds.ts';
