import type { WaitingEvents } from '../dag/assets.ts';
import type { DataInterval } from '../dag/interval.ts';
import type { JsonObject } from '../dag/json.ts';

/** Something that happened to an asset. */
export interface AssetEvent {
  readonly asset: string;
  /** 1, 2, 3 … within the asset, in the order in which readers see them. */
  readonly position: number;
  /** The same again is no new event. */
  readonly key: string;
  readonly at: string;
  /** The run that caused it; null for an event by hand. */
  readonly runId: string | null;
  readonly dagId: string | null;
  readonly logicalDate: string | null;
  /** The publication that it is, for a table. */
  readonly publicationId: number | null;
  readonly payload: JsonObject;
}

/** An event by hand, or of something outside. */
export interface NewAssetEvent {
  readonly asset: string;
  readonly key: string;
  readonly at: string;
  readonly logicalDate: string | null;
  readonly payload: JsonObject;
}

/** An event for the interval it asks for. */
export interface Delivery {
  readonly asset: string;
  readonly position: number;
  readonly interval: Pick<DataInterval, 'start' | 'end'>;
}

/** How far a DAG has come with an asset. */
export interface AssetCursor {
  readonly dagId: string;
  readonly asset: string;
  /** Events up to here were read. */
  readonly position: number;
  /** Events after it. */
  readonly unread: number;
  /** Events that were read and wait for a run of their interval. */
  readonly waiting: number;
}

/** A run that was given events; started when `runId` is known. */
export interface AssetRun {
  readonly dagId: string;
  readonly number: number;
  readonly interval: Pick<DataInterval, 'start' | 'end'>;
  readonly runId: string | null;
  readonly assets: readonly { readonly asset: string; readonly count: number }[];
}

/**
 * What happened to assets, and how far each DAG that waits for them has come. Publishing is an event of its tables, in the
 * publication's own transaction. An event is read once by each DAG, waits under the interval it asks for, and is given to one run:
 * at every moment it is unread, waiting or given. Every write may be repeated.
 */
export interface AssetLog {
  /** Answers the event, also one that was there. */
  emitAsset(event: NewAssetEvent): Promise<AssetEvent>;
  /** Newest first; default 50. */
  assetEvents(asset: string, limit?: number): Promise<readonly AssetEvent[]>;
  /** The newest event of each asset that has one, by name. */
  assets(): Promise<readonly AssetEvent[]>;
  /** The DAG waits for these assets, and no others, from now on: of one that is new, events before now do not count. */
  followAssets(dagId: string, assets: readonly string[]): Promise<void>;
  /** DAGs that wait for one of the assets. */
  assetFollowers(assets: readonly string[]): Promise<readonly string[]>;
  assetCursors(dagId?: string): Promise<readonly AssetCursor[]>;
  /** In the order of their positions, of each asset. */
  unreadEvents(dagId: string, limit: number): Promise<readonly AssetEvent[]>;
  /** Moves the DAG's cursors over these events, which wait from now on. Those that are not after the cursor were delivered before, and are left. */
  deliverEvents(dagId: string, deliveries: readonly Delivery[]): Promise<void>;
  waitingEvents(dagId: string): Promise<readonly WaitingEvents[]>;
  /** Gives all events that wait for the interval to a new run; null when none wait, or a run of the interval has not begun yet. */
  takeEvents(dagId: string, interval: Delivery['interval']): Promise<AssetRun | null>;
  /** Runs that were given events and have not begun, in the order of their numbers. */
  unbegunAssetRuns(dagId: string): Promise<readonly AssetRun[]>;
  assetRun(dagId: string, number: number): Promise<AssetRun | null>;
  /** What a run was given; null for one that assets did not start. */
  assetRunOf(runId: string): Promise<AssetRun | null>;
  /** The run was begun: it is not to be started any more. */
  assetRunBegun(dagId: string, number: number, runId: string): Promise<void>;
  /** Exactly the events of a run, in the order of assets and positions. */
  eventsOfRun(dagId: string, number: number): Promise<readonly AssetEvent[]>;
  /**
   * Forgets events from before `before` (RFC 3339) that every DAG that waits for the asset has read, and whose runs ended before
   * it; each asset keeps its newest. Answers how many. With `dryRun` it only counts.
   */
  forgetAssetEvents(before: string, options: { readonly dryRun: boolean }): Promise<number>;
}

export interface FeedRequest {
  readonly dagId: string;
  /** How often the feed looks though nobody woke it. */
  readonly pollMs: number;
}

export interface DueAssetsRequest {
  readonly dagId: string;
  /** Workflow ids of the runs this feed started that have not ended. */
  readonly started: readonly string[];
}

export type DueAssetRuns =
  | { readonly state: 'not_deployed' | 'paused' }
  | {
      readonly state: 'in_force';
      readonly runs: readonly {
        readonly number: number;
        readonly interval: Pick<DataInterval, 'start' | 'end'>;
      }[];
      /** Events wait for a run that ends, or more were there than were looked at. */
      readonly more: boolean;
    };

/** The activities of a DAG's asset feed, by their type. Each may be repeated. */
export type AssetSteps = {
  readonly 'ingot.dueAssetRuns': (request: DueAssetsRequest) => Promise<DueAssetRuns>;
};
