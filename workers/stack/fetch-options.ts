export interface FetchOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly progress: (line: string) => void;
  /** Gives up a fetch that is under way. */
  readonly signal?: AbortSignal | undefined;
}

/** Puts a program at `path`, whole or not at all; answers what went wrong, or null. */
export type Fetch = (path: string, options: FetchOptions) => Promise<string | null>;
