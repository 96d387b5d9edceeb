import type { Incident } from '../dag/alerts.ts';
import type { RunFacts } from '../dag/reducer.ts';
import type { LedgerEvent } from './ledger.ts';

/** What people are told: the one argument of the workflow `ingot.alert`, which delivers it. */
export interface AlertRequest {
  readonly incident: Incident;
  readonly dagId: string;
  readonly workflowId: string;
  readonly facts: RunFacts;
  /** RFC 3339: when it was noticed. */
  readonly at: string;
}

/** Who is told, by name, and for how long it is tried. */
export interface AlertChannels {
  readonly channels: readonly string[];
  readonly retry: { readonly initialMs: number; readonly maxMs: number; readonly forMs: number };
}

export interface DeliverRequest {
  readonly channel: string;
  readonly alert: AlertRequest;
}

/** The activities behind alerts, by their type. Each may be repeated; a receiver sees a repeated delivery under the same key. */
export type AlertSteps = {
  readonly 'ingot.alertChannels': (alert: AlertRequest) => Promise<AlertChannels>;
  readonly 'ingot.deliverAlert': (request: DeliverRequest) => Promise<void>;
  readonly 'ingot.recordAlert': (request: {
    readonly runId: string;
    readonly events: readonly LedgerEvent[];
  }) => Promise<void>;
};

/** How a delivery stands. */
export type AlertState = 'pending' | 'delivered' | 'failed';

/** What became of an alert: the result of the workflow `ingot.alert`, by channel. */
export type AlertSummary = Readonly<Record<string, AlertState>>;
