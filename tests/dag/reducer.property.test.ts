import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../../dag/json.ts';
import type { PlanTask } from '../../dag/plan.ts';
import { advance, startRun } from '../../dag/reducer.ts';
import type { RunCommand, RunEvent, RunProgress } from '../../dag/reducer.ts';
import { mayStart, naiveEnds, naiveOutcome } from './naive-model.ts';
import type { End } from './naive-model.ts';
import { randomRun } from './random-runs.ts';
import type { RandomRun, Turn } from './random-runs.ts';
import { facts } from './support.ts';

type Attempt = Extract<RunCommand, { type: 'start_attempt' }>;
type Ended = 'success' | 'failed' | 'skipped' | 'upstream_failed';
const ends: readonly string[] = ['success', 'failed', 'skipped', 'upstream_failed'];

/** Performs the commands of a run in a random order, as its script says, and checks at every step what must always hold. */
class Simulation {
  readonly #run: RandomRun;
  readonly #choose: (below: number) => number;
  readonly #running = new Map<string, Attempt>();
  readonly #timers = new Map<string, number>();
  readonly #turns = new Map<string, number>();
  readonly #lastAttempt = new Map<string, number>();
  readonly #past: RunEvent[] = [];
  #at = 0;
  #cancelled = false;
  #finished: Extract<RunCommand, { type: 'finish_run' }> | null = null;
  progress: RunProgress;

  constructor(run: RandomRun, choices: readonly number[]) {
    this.#run = run;
    let next = 0;
    this.#choose = (below) => choices[next++ % choices.length]! % below;
    this.progress = startRun(run.plan, facts);
    this.#tell({ type: 'run_started', at: this.#at });
  }

  get finished(): Extract<RunCommand, { type: 'finish_run' }> | null {
    return this.#finished;
  }

  /** One thing happens: an attempt ends, a timer fires, something late or foreign arrives. */
  step(): void {
    const open = [...this.#running.keys(), ...this.#timers.keys()];
    if (open.length === 0) throw new Error(`the run is stuck: ${JSON.stringify(this.progress.instances)}`);
    if (this.#choose(4) === 0) this.#disturb();
    if (this.#finished !== null) return;
    const key = open[this.#choose(open.length)]!;
    const attempt = this.#running.get(key);
    if (attempt === undefined) this.#fire(key);
    else this.#end(attempt);
  }

  cancel(): void {
    this.#cancelled = true;
    this.#tell({ type: 'cancel_requested', at: this.#at });
  }

  #disturb(): void {
    const kind = this.#choose(3);
    if (kind === 0) this.progress = JSON.parse(JSON.stringify(this.progress)) as RunProgress;
    const late = this.#past[this.#choose(Math.max(1, this.#past.length))];
    const isLate =
      late !== undefined &&
      'attempt' in late &&
      late.attempt < (this.#running.get(late.key)?.attempt ?? Infinity);
    if (kind === 1 && isLate) {
      const before = this.progress;
      this.#tell({ ...late, at: this.#at });
      // A repetition of the number, as after a poke, cannot be told apart; anything older changes nothing.
      if (this.#running.get(late.key)?.attempt !== late.attempt) expect(this.progress).toEqual(before);
    }
    if (kind === 2) {
      const stray = [...this.#running.keys()].find((key) => !this.#timers.has(key)) ?? 'unheard-of';
      const before = this.progress;
      this.#tell({ type: 'timer_fired', key: stray, at: this.#at });
      expect(this.progress).toEqual(before);
    }
  }

  #fire(key: string): void {
    this.#at = Math.max(this.#at, this.#timers.get(key)!);
    this.#timers.delete(key);
    this.#tell({ type: 'timer_fired', key, at: this.#at });
  }

  #end({ key, taskId, mapIndex, attempt }: Attempt): void {
    this.#at += this.#choose(3);
    this.#running.delete(key);
    const nth = this.#turns.get(key) ?? 0;
    this.#turns.set(key, nth + 1);
    const turn = this.#run.scripts.get(taskId)![mapIndex ?? 0]![nth];
    if (turn === undefined) throw new Error(`${key} was started after its last attempt`);
    this.#tell({ key, attempt, at: this.#at, ...this.#event(turn, taskId) } as RunEvent);
  }

  #event(turn: Turn, taskId: string): object {
    const sensor = this.#run.plan.tasks.find((task) => task.id === taskId)!.kind === 'sensor';
    const output: Json = this.#run.outputs.get(taskId)!;
    const failure = { type: 'Error', message: 'as scripted' };
    switch (turn) {
      case 'success':
        return { type: 'attempt_succeeded', output: sensor ? { done: true, value: output } : output };
      case 'poke':
        return { type: 'attempt_succeeded', output: { done: false } };
      case 'terminal':
        return { type: 'attempt_failed', failure: { ...failure, retryable: false } };
      case 'retryable':
        return { type: 'attempt_failed', failure: { ...failure, retryable: true } };
      case 'conflict':
        return { type: 'snapshot_conflicted' };
      case 'unknown':
        return { type: 'task_unknown' };
    }
  }

  #tell(event: RunEvent): void {
    if ('attempt' in event) this.#past.push(event);
    const step = advance(this.#run.plan, this.progress, event);
    for (const instance of step.changed) expect(step.progress.instances[instance.key]).toEqual(instance);
    this.progress = step.progress;
    for (const command of step.commands) this.#perform(command);
  }

  #perform(command: RunCommand): void {
    expect(this.#finished).toBeNull();
    switch (command.type) {
      case 'start_attempt':
        return this.#started(command);
      case 'start_timer':
        expect(this.#timers.has(command.key) || this.#running.has(command.key)).toBe(false);
        this.#timers.set(command.key, command.untilMs);
        return;
      case 'cancel_timer':
        expect(this.#timers.delete(command.key)).toBe(true);
        return;
      case 'continue_as_new':
        throw new Error('nobody asked the run to continue as new');
      case 'finish_run':
        expect(this.#running.size + this.#timers.size).toBe(0);
        this.#finished = command;
    }
  }

  /** In a cancelled run only what clears away begins, and not beside anything above it. */
  #checkTeardown(task: PlanTask): void {
    expect(owed(this.#run, this.progress)).toContain(task.id);
    const above = (id: string): readonly string[] => {
      const { upstream } = this.#run.plan.tasks.find((each) => each.id === id)!;
      return [...upstream, ...upstream.flatMap(above)];
    };
    for (const id of above(task.id))
      expect(['running', 'waiting', 'up_for_retry', 'scheduled']).not.toContain(
        this.progress.instances[id]!.state,
      );
    for (const id of above(task.id)) expect(owed(this.#run, this.progress)).not.toContain(id);
  }

  #started(command: Attempt): void {
    const { key, taskId, attempt } = command;
    expect(this.#running.has(key) || this.#timers.has(key)).toBe(false);
    const task = this.#run.plan.tasks.find((each) => each.id === taskId)!;
    if (this.#cancelled) this.#checkTeardown(task);
    else {
      const upstream = task.upstream.map((id): End | null => {
        const { state } = this.progress.instances[id]!;
        return ends.includes(state) ? (state as Ended) : null;
      });
      expect(mayStart(task.triggerRule, upstream)).toBe(true);
    }
    const { failures, conflicts } = this.progress.instances[key]!;
    expect(failures).toBeLessThanOrEqual(task.retries.limit);
    expect(attempt).toBeLessThanOrEqual(1 + failures + conflicts);
    const last = this.#lastAttempt.get(key) ?? 0;
    expect([last, last + 1]).toContain(attempt);
    this.#lastAttempt.set(key, attempt);
    this.#running.set(key, command);
  }
}

/** Teardowns of setups that succeeded, which have not ended themselves. */
function owed({ plan }: RandomRun, { instances }: RunProgress): readonly string[] {
  const isProvided = ({ upstream }: PlanTask): boolean =>
    upstream.some(
      (id) =>
        plan.tasks.find((task) => task.id === id)!.role === 'setup' && instances[id]!.state === 'success',
    );
  return plan.tasks
    .filter((task) => task.role === 'teardown' && isProvided(task))
    .map(({ id }) => id)
    .filter((id) => !ends.includes(instances[id]!.state));
}

const choices = fc.array(fc.nat(1000), { minLength: 1, maxLength: 200 });
const longest = 2000;

test('any DAG, with any outcomes in any order of events, ends as the naive model says, once', () => {
  fc.assert(
    fc.property(randomRun, choices, (run, order) => {
      const simulation = new Simulation(run, order);
      for (let n = 0; simulation.finished === null; n += 1) {
        expect(n).toBeLessThan(longest);
        simulation.step();
      }
      const expected = naiveEnds(run.naive);
      const found = new Map(run.naive.map(({ id }) => [id, simulation.progress.instances[id]!.state]));
      expect(found).toEqual(expected);
      expect(simulation.finished?.outcome).toBe(naiveOutcome(run.naive, expected));
      expect(simulation.progress.outcome).toBe(naiveOutcome(run.naive, expected));
    }),
    { numRuns: 3000 },
  );
}, 300_000);

test('a run that is cancelled at any moment starts nothing but teardowns, and ends cancelled with all of them done', () => {
  fc.assert(
    fc.property(randomRun, choices, fc.nat(15), (run, order, steps) => {
      const simulation = new Simulation(run, order);
      for (let n = 0; n < steps && simulation.finished === null; n += 1) simulation.step();
      if (simulation.finished !== null) return;
      simulation.cancel();
      for (let n = 0; simulation.finished === null; n += 1) {
        expect(n).toBeLessThan(longest);
        simulation.step();
      }
      expect(simulation.progress.outcome).toBe('cancelled');
      expect(owed(run, simulation.progress)).toEqual([]);
    }),
    { numRuns: 1000 },
  );
}, 300_000);
