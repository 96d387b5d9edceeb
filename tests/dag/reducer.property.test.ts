import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../../dag/json.ts';
import { waitingForPast } from '../../dag/past.ts';
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
  readonly #told: RunEvent[] = [];
  /** Instances that wait for a pool, by how often they were told to wait on. */
  readonly #asking = new Map<string, number>();
  readonly #held = new Set<string>();
  /** Tasks whose turn had come, if only to wait for a pool, when the run was cancelled. */
  readonly #decided = new Set<string>();
  #looks: number | null = null;
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
    const past = waitingForPast(this.progress).length > 0 ? ['the past'] : [];
    const open = [...this.#running.keys(), ...this.#timers.keys(), ...this.#asking.keys(), ...past];
    if (open.length === 0) throw new Error(`the run is stuck: ${JSON.stringify(this.progress.instances)}`);
    if (this.#choose(4) === 0) this.#disturb();
    if (this.#finished !== null) return;
    const key = open[this.#choose(open.length)]!;
    const attempt = this.#running.get(key);
    if (key === 'the past') this.#look();
    else if (this.#asking.has(key)) this.#serve(key);
    else if (attempt === undefined) this.#fire(key);
    else this.#end(attempt);
  }

  cancel(): void {
    this.#cancelled = true;
    for (const { taskId, state } of Object.values(this.progress.instances))
      if (state !== 'none') this.#decided.add(taskId);
    this.#tell({ type: 'cancel_requested', at: this.#at });
  }

  #disturb(): void {
    const kind = this.#choose(3);
    if (kind === 0) this.progress = JSON.parse(JSON.stringify(this.progress)) as RunProgress;
    const late = this.#told[this.#choose(Math.max(1, this.#told.length))];
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

  #serve(key: string): void {
    const told = this.#asking.get(key)!;
    if (told < 2 && this.#choose(2) === 0) {
      this.#asking.set(key, told + 1);
      const standing = { size: 1, held: 1, heldBy: [], ahead: 0 };
      return this.#tell({
        type: 'pools_answered',
        answers: [{ key, type: 'waits', standing }],
        at: this.#at,
      });
    }
    this.#asking.delete(key);
    this.#held.add(key);
    this.#tell({ type: 'pools_answered', answers: [{ key, type: 'granted' }], at: this.#at });
    expect(this.#running.has(key)).toBe(true);
  }

  /** Some tasks of the run before end, sooner or later all. */
  #look(): void {
    const waiting = waitingForPast(this.progress);
    this.#looks = this.#looks! + 1;
    const settled = this.#looks > 5 ? ('all' as const) : waiting.filter(() => this.#choose(2) === 0);
    const previous = {
      dagId: 'random',
      workflowId: 'random-before',
      interval: facts.interval,
      runId: 'r0',
      state: 'running' as const,
    };
    this.#tell({ type: 'past_seen', settled, previous, tasks: {}, at: this.#at });
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
    if ('attempt' in event) this.#told.push(event);
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
      case 'ask_pool':
        expect(this.#asking.has(command.key) || this.#held.has(command.key)).toBe(false);
        if (this.#cancelled) expect(owed(this.#run, this.progress)).toContain(command.key);
        this.#asking.set(command.key, 0);
        return;
      case 'release_pool':
        expect(this.#asking.delete(command.key) || this.#held.delete(command.key)).toBe(true);
        return;
      case 'look_at_past':
        this.#looks ??= 0;
        return;
      case 'cancel_attempt':
        throw new Error(`nobody asked to stop ${command.key}`);
      case 'continue_as_new':
        throw new Error('nobody asked the run to continue as new');
      case 'finish_run':
        expect(this.#running.size + this.#timers.size + this.#asking.size + this.#held.size).toBe(0);
        this.#finished = command;
    }
  }

  /** In a cancelled run only what clears away begins, and not beside anything above it; one whose turn had come before goes on. */
  #checkTeardown(task: PlanTask): void {
    expect(owed(this.#run, this.progress)).toContain(task.id);
    if (this.#decided.has(task.id)) return;
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
    expect(this.#held.has(key)).toBe(task.pool !== undefined);
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
