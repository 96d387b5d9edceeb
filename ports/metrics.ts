/** One measured fact. Names are `runs`, `tasks`, `rows`, `quality_failures` and the like; dimensions are few-valued: DAG, task, state, table, rule. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: 'count' | 'milliseconds' | 'bytes';
  readonly dimensions: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly at: string;
}

/** Where numbers about runs, tasks, rows and quality are watched. Recording returns at once and never fails a task; what cannot be delivered is tried again for some minutes, then dropped with a log line. */
export interface Metrics {
  record(measurements: readonly Measurement[]): void;
  /** Delivers what is left. */
  close(): Promise<void>;
}
