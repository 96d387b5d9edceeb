import { createHash } from 'node:crypto';
import { createDagFactory } from '../../dag/builder.ts';
import type { DagDefinition } from '../../dag/builder.ts';
import { compileDag } from '../../dag/compile.ts';
import type { Json } from '../../dag/json.ts';
import type { Plan } from '../../dag/plan.ts';
import { DagProblemsError } from '../../dag/problems.ts';
import { advance, startRun } from '../../dag/reducer.ts';
import type { RunCommand, RunEvent, RunFacts, RunProgress, TaskInstance } from '../../dag/reducer.ts';

export const dag = createDagFactory<Record<never, never>>();

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export function planOf(definition: DagDefinition<Record<never, never>>): Plan {
  return compileDag(definition, { sha256 }).plan;
}

/** The problems of a definition, as `place: message`. */
export function problemsOf(definition: DagDefinition<Record<never, never>>): readonly string[] {
  try {
    compileDag(definition, { sha256 });
  } catch (error) {
    if (error instanceof DagProblemsError)
      return error.problems.map((each) => `${each.place}: ${each.message}`);
    throw error;
  }
  return [];
}

export const facts: RunFacts = {
  run: { id: 'r1', type: 'manual' },
  interval: {
    start: '2026-01-01T00:00:00Z',
    end: '2026-01-02T00:00:00Z',
    logicalDate: '2026-01-01T00:00:00Z',
  },
  params: {},
};

type Told = RunEvent extends infer Event ? (Event extends RunEvent ? Omit<Event, 'at'> : never) : never;

/** A run driven by hand: every call tells one event, at a clock that only moves when told. */
export class Driven {
  at = 1_000_000;
  progress: RunProgress;
  commands: RunCommand[] = [];
  changed: readonly TaskInstance[] = [];
  readonly plan: Plan;

  constructor(plan: Plan, runFacts: RunFacts = facts) {
    this.plan = plan;
    this.progress = startRun(plan, runFacts);
    this.tell({ type: 'run_started' });
  }

  tell(event: Told): this {
    const step = advance(this.plan, this.progress, { ...event, at: this.at } as RunEvent);
    this.progress = step.progress;
    this.commands = [...step.commands];
    this.changed = step.changed;
    return this;
  }

  later(ms: number): this {
    this.at += ms;
    return this;
  }

  succeed(key: string, output: Json = null): this {
    return this.tell({ type: 'attempt_succeeded', key, attempt: this.instance(key).attempt, output });
  }

  fail(key: string, failure: { type?: string; message?: string; retryable?: boolean } = {}): this {
    const told = { type: 'Error', message: 'it broke', retryable: false, ...failure };
    return this.tell({ type: 'attempt_failed', key, attempt: this.instance(key).attempt, failure: told });
  }

  /** Moves the clock to when the instance's timer goes off, and lets it. */
  wake(key: string): this {
    this.at = this.untilMs(key);
    return this.tell({ type: 'timer_fired', key });
  }

  instance(key: string): TaskInstance {
    const found = this.progress.instances[key];
    if (found === undefined) throw new RangeError(`no instance ${key}`);
    return found;
  }

  /** When the timer goes off that the instance waits for. */
  untilMs(key: string): number {
    const { waitingFor } = this.instance(key);
    const untilMs = waitingFor !== null && 'untilMs' in waitingFor ? waitingFor.untilMs : null;
    if (untilMs === null) throw new RangeError(`${key} waits for no timer`);
    return untilMs;
  }

  state(key: string): string {
    return this.instance(key).state;
  }

  states(): Record<string, string> {
    return Object.fromEntries(Object.values(this.progress.instances).map((each) => [each.key, each.state]));
  }

  /** Keys of the attempts begun by the last event. */
  started(): readonly string[] {
    return this.commands.filter((command) => command.type === 'start_attempt').map((command) => command.key);
  }

  get outcome(): string | null {
    return this.progress.outcome;
  }
}
