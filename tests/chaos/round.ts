import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { generators } from '../../pipelines/generators/index.ts';
import { dags } from '../../pipelines/index.ts';
import type { RunRecord } from '../../ports/ledger.ts';
import type { RunHandle } from '../../workers/client.ts';
import type { Delivery } from '../oracle/rows.ts';
import { Killer } from './kills.ts';
import type { Kills, KillPlan } from './kills.ts';
import type { RealStack } from './real-stack.ts';
import { problemsOf } from './verify.ts';

const firstDay = Date.UTC(2026, 0, 5);
const dayMs = 86_400_000;
const daysPerRound = 3;
/** So far apart that the days of one round never look at those of another. */
const daysBetweenRounds = 40;
const patienceMs = 300_000;

/** Sources whose pipeline is shipped. */
const sources = Object.keys(generators).filter((source) => dags.some(({ id }) => id === source));

export interface RoundResult {
  readonly kills: Kills;
  readonly runs: number;
  readonly rows: number;
  readonly elapsedMs: number;
  readonly problems: readonly string[];
}

/** Rounds on one stack: neighbouring days of every pipeline run at the same time while its programs are killed. */
export class ChaosRounds {
  readonly #stack: RealStack;
  readonly #seed: string;
  readonly #rows: number;
  readonly #killer: Killer;
  readonly #files = new Map<string, Delivery[]>();
  #round = 0;

  constructor(stack: RealStack, seed: string, rows: number) {
    this.#stack = stack;
    this.#seed = seed;
    this.#rows = rows;
    this.#killer = new Killer(`${seed} kills`);
  }

  async next(plan: KillPlan): Promise<RoundResult> {
    const startedAt = performance.now();
    const dates = this.#dates(this.#round++);
    await this.#deliver(dates);
    const started = await Promise.all(
      sources.flatMap((source) => dates.map((date) => this.#stack.start(source, date))),
    );
    const calm = new AbortController();
    const killing = this.#killer.run(this.#stack, plan, calm.signal);
    const unfinished = await Promise.all(started.map((run) => this.#end(run)));
    calm.abort();
    const kills = await killing;
    const problems = unfinished.filter((problem) => problem !== null);
    return {
      kills,
      runs: started.length,
      rows: this.#rows * started.length,
      elapsedMs: performance.now() - startedAt,
      problems: [...problems, ...(await this.#answer(() => problemsOf(this.#stack, this.#files)))],
    };
  }

  #dates(round: number): string[] {
    const first = firstDay + round * daysBetweenRounds * dayMs;
    return Array.from({ length: daysPerRound }, (_, index) =>
      new Date(first + index * dayMs).toISOString().slice(0, 10),
    );
  }

  async #deliver(dates: readonly string[]): Promise<void> {
    for (const source of sources) {
      const made = await generators[source]!.generate({
        seed: this.#seed,
        rows: this.#rows,
        dates,
        into: this.#stack.lake,
        dirtShare: 0.01,
      });
      const known = this.#files.get(source) ?? [];
      for (const { date, paths } of made)
        for (const path of paths)
          known.push({ ingestDate: date, name: basename(path), bytes: await readFile(path) });
      this.#files.set(source, known);
    }
  }

  /** Waits for the ledger to say how the run ended; the reason where it did not succeed. */
  async #end({ runId, workflowId }: RunHandle): Promise<string | null> {
    const deadline = performance.now() + patienceMs;
    let run: RunRecord | null = null;
    while (performance.now() < deadline) {
      run = await this.#answer(() => this.#stack.ledger.run(runId));
      if (run !== null && run.state !== 'running') break;
      await delay(250);
    }
    if (run?.state === 'success') return null;
    const why = run?.failure ? `: ${run.failure.task}: ${run.failure.message}` : '';
    return `${workflowId}: ${run?.state ?? 'never began'} after ${Math.round(patienceMs / 1000)} s at most${why}; ${await this.#pending(workflowId, runId)}`;
  }

  /** What Temporal says the run waits for. */
  async #pending(workflowId: string, runId: string): Promise<string> {
    try {
      const { raw, status } = await this.#stack.client.workflow.getHandle(workflowId, runId).describe();
      const activities = (raw.pendingActivities ?? []).map(
        ({ activityType, state, attempt, lastFailure }) =>
          `${activityType?.name} in state ${state}, attempt ${attempt}, last failure ${lastFailure?.message ?? 'none'}`,
      );
      return `Temporal says ${status.name}, pending: ${activities.join('; ') || 'no activity'}, workflow task ${JSON.stringify(raw.pendingWorkflowTask)}`;
    } catch (error) {
      return `Temporal says ${(error as Error).message}`;
    }
  }

  /** The database is killed as well: asks until it answers. */
  async #answer<T>(ask: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await delay(250);
      }
    }
  }
}
