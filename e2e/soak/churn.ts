/** What churn is sent to. */
export interface Target {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly dogstatsdPort: number;
}

/** How often each act of churn was done, and how often it was refused or failed, by its name. */
export type ChurnCounts = Readonly<Record<string, { readonly done: number; readonly refused: number }>>;
