import { setTimeout as delay } from 'node:timers/promises';
import { Random, seedOf } from '../../pipelines/generators/random.ts';
import type { ProgramName, RealStack } from './real-stack.ts';

const victims: readonly ProgramName[] = ['Worker', 'Temporal', 'Postgres'];

export type Kills = Record<ProgramName, number>;

export interface KillPlan {
  /** Every program in turn gets a share of them, in random order. */
  readonly count: number;
  /** Longest wait before a kill. */
  readonly withinMs: number;
}

/** Decides, from a seed alone, who dies when. */
export class Killer {
  readonly #random: Random;
  #planned = 0;

  constructor(seed: number | string) {
    this.#random = new Random().restart(seedOf(seed));
  }

  /** Kills with -9 at random moments until the plan is done or `signal` says that there is nothing left to disturb. */
  async run(stack: RealStack, plan: KillPlan, signal: AbortSignal): Promise<Kills> {
    const kills: Kills = { Worker: 0, Temporal: 0, Postgres: 0 };
    const order = this.#shuffled(
      Array.from({ length: plan.count }, () => victims[this.#planned++ % victims.length]!),
    );
    for (const victim of order) {
      await delay(this.#random.below(plan.withinMs), undefined, { signal }).catch(() => {});
      if (signal.aborted) break;
      if (await kill(stack, victim)) kills[victim]++;
    }
    return kills;
  }

  #shuffled<T>(items: readonly T[]): T[] {
    const rest = [...items];
    return Array.from({ length: items.length }, () => rest.splice(this.#random.below(rest.length), 1)[0]!);
  }
}

/** False when the program was down already. */
async function kill(stack: RealStack, victim: ProgramName): Promise<boolean> {
  const pid = await stack.pid(victim);
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
