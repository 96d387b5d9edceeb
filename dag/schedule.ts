/** When a DAG's data intervals end: five cron fields in the DAG's time zone, or a fixed length from the epoch. */
export type Schedule = { readonly cron: string } | { readonly everyMs: number };
