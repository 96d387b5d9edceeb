import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packProgress, unpackProgress } from '../../dag/carried.ts';
import { changeProblems } from '../../dag/change-problems.ts';
import type { Json } from '../../dag/json.ts';
import type { Plan } from '../../dag/plan.ts';
import { advance, startRun } from '../../dag/reducer.ts';
import type { OperatorChange, RunCommand, RunEvent, RunProgress, TaskInstance } from '../../dag/reducer.ts';
import { carriedOver, resumeRun, type EarlierRun } from '../../dag/resume.ts';
import { randomRun, type RandomRun } from './random-runs.ts';
import { facts } from './support.ts';

type Attempt = Extract<RunCommand, { type: 'start_attempt' }>;

type Change = Exclude<OperatorChange, { type: 'approval_answered' }>;

const everything: Extract<Change, { type: 'tasks_cleared' }> = {
  type: 'tasks_cleared',
  by: 'ann',
  tasks: [],
  downstream: false,
  upstream: false,
  onlyFailed: false,
};

/** A run whose attempts end at random and whose operator does anything at any time; every step is checked. */
class OperatedRun {
  readonly #run: RandomRun;
  readonly #plan: Plan;
  readonly #choose: (below: number) => number;
  readonly #running = new Map<string, Attempt>();
  readonly #timers = new Map<string, number>();
  /** Instances that wait for slots, and those that have theirs. */
  readonly #asking = new Set<string>();
  readonly #holding = new Set<string>();
  #looksAtPast = false;
  #continues = false;
  /** The highest epoch of each instance that was handed out, over all runs. */
  readonly #epochs: Map<string, number>;
  /** Attempts whose number comes again: after a poke, and after a try that no worker took. */
  readonly #repeated = new Map<string, number>();
  /** The last that was told of each instance, as the ledger has it. */
  readonly #recorded: Map<string, TaskInstance>;
  #at = 0;
  #troubled = true;
  progress: RunProgress;

  constructor(run: RandomRun, choose: (below: number) => number, earlier?: OperatedRun) {
    this.#run = run;
    this.#plan = { ...run.plan, onFailure: 'hold', maxActiveTasks: 1 + choose(4) };
    this.#choose = choose;
    this.#epochs = new Map(earlier === undefined ? [] : earlier.#epochs);
    const carried = earlier === undefined ? undefined : earlier.#ledger();
    this.#recorded = new Map(
      carried === undefined ? [] : carriedOver(carried).map((each) => [each.key, each]),
    );
    this.progress =
      carried === undefined ? startRun(this.#plan, facts) : resumeRun(this.#plan, facts, carried);
    this.#tell({
      at: 0,
      ...(carried === undefined ? { type: 'run_started' } : { type: 'run_resumed', change: everything }),
    });
  }

  get isOver(): boolean {
    return this.progress.outcome !== null || this.progress.held === true;
  }

  /** From here on every attempt succeeds and nobody interferes. */
  calm(): void {
    this.#troubled = false;
  }

  step(): void {
    if (this.#troubled && this.#choose(6) === 0) this.operate(this.#anything());
    if (this.isOver) return;
    if (this.#choose(10) === 0) this.#tell({ type: 'drain_requested', at: this.#at });
    if (this.#looksAtPast && this.#choose(3) === 0) return this.#seePast();
    const open = [...this.#running.keys(), ...this.#timers.keys(), ...this.#asking];
    if (open.length === 0 && this.#looksAtPast) return this.#seePast();
    if (open.length === 0) throw new Error(`the run is stuck: ${JSON.stringify(this.progress.instances)}`);
    const key = open[this.#choose(open.length)]!;
    const attempt = this.#running.get(key);
    if (attempt !== undefined) return this.#end(attempt);
    if (this.#asking.delete(key)) return this.#grant(key);
    this.#at = Math.max(this.#at, this.#timers.get(key)!);
    this.#timers.delete(key);
    this.#tell({ type: 'timer_fired', key, at: this.#at });
  }

  #grant(key: string): void {
    this.#holding.add(key);
    this.#tell({ type: 'pools_answered', answers: [{ key, type: 'granted' }], at: this.#at });
  }

  #seePast(): void {
    this.#looksAtPast = false;
    const { interval } = facts;
    const previous = {
      dagId: this.#plan.dagId,
      workflowId: 'before',
      interval,
      runId: 'r',
      state: 'success',
    } as const;
    this.#tell({ type: 'past_seen', settled: 'all', previous, tasks: {}, at: this.#at });
  }

  operate(change: OperatorChange): void {
    const problems = changeProblems(this.#plan, this.progress, change);
    const before = this.progress.instances;
    this.#tell({ ...change, at: this.#at });
    if (problems.length > 0) expect(this.progress.instances).toEqual(before);
    else expect(this.progress.instances).not.toEqual(before);
  }

  cancel(): void {
    this.#tell({ type: 'cancel_requested', at: this.#at });
  }

  /** What the ledger would hold of it. */
  #ledger(): EarlierRun {
    return { outcome: this.progress.outcome ?? 'failed', instances: [...this.#recorded.values()] };
  }

  #anything(): Change {
    const keys = [...Object.keys(this.progress.instances), 'nobody'];
    const key = keys[this.#choose(keys.length)]!;
    const task = this.#run.plan.tasks.find(({ id }) => id === key.split('[')[0]);
    const flag = (): boolean => this.#choose(3) === 0;
    if (this.#choose(2) === 0)
      return {
        ...everything,
        tasks: flag() ? [] : [key],
        downstream: flag(),
        upstream: flag(),
        onlyFailed: flag(),
      };
    const as = this.#choose(2) === 0 ? 'success' : 'failed';
    const output = task === undefined ? null : (this.#run.outputs.get(task.id) ?? null);
    return { type: 'task_marked', by: 'ann', key, as, output };
  }

  #end({ key, taskId, attempt }: Attempt): void {
    this.#at += this.#choose(3);
    this.#running.delete(key);
    const { kind } = this.#run.plan.tasks.find(({ id }) => id === taskId)!;
    const output: Json = this.#run.outputs.get(taskId)!;
    const failure = { type: 'Error', message: 'at random', retryable: this.#choose(2) === 0 };
    const told = { key, attempt, at: this.#at };
    const turn = this.#troubled ? this.#choose(6) : 5;
    if (turn < 2) return this.#tell({ type: 'attempt_failed', ...told, failure });
    if (turn === 2) return this.#tell({ type: 'snapshot_conflicted', ...told });
    if (turn === 3 || (kind === 'sensor' && turn === 4)) this.#repeated.set(key, attempt);
    if (turn === 3) return this.#tell({ type: 'task_unknown', ...told });
    if (kind !== 'sensor') return this.#tell({ type: 'attempt_succeeded', ...told, output });
    this.#tell({ type: 'attempt_succeeded', ...told, output: { done: turn === 5, value: output } });
  }

  #tell(event: RunEvent): void {
    const step = advance(this.#plan, this.progress, event);
    for (const instance of step.changed) {
      expect(step.progress.instances[instance.key]).toEqual(instance);
      // Of what is ready the ledger hears when it begins.
      if (instance.state !== 'scheduled') this.#recorded.set(instance.key, instance);
    }
    this.progress = step.progress;
    for (const command of step.commands) this.#perform(command);
    if (this.#continues) this.#continue();
    if (this.progress.held)
      expect(this.#running.size + this.#timers.size + this.#asking.size + this.#holding.size).toBe(0);
  }

  /** In an execution that has neither timers nor questions under way; slots of pools are carried on. */
  #continue(): void {
    this.#continues = false;
    expect(this.#running.size).toBe(0);
    this.#timers.clear();
    this.#asking.clear();
    this.#looksAtPast = false;
    this.progress = unpackProgress(packProgress(this.progress));
    this.#tell({ type: 'run_continued', at: this.#at });
  }

  #perform(command: RunCommand): void {
    switch (command.type) {
      case 'start_attempt': {
        const { key, attempt } = command;
        expect(this.#running.has(key) || this.#timers.has(key)).toBe(false);
        const last = this.#epochs.get(key) ?? 0;
        expect(attempt > last || this.#repeated.get(key) === attempt).toBe(true);
        this.#repeated.delete(key);
        this.#epochs.set(key, attempt);
        this.#running.set(key, command);
        return;
      }
      case 'start_timer':
        expect(this.#timers.has(command.key) || this.#running.has(command.key)).toBe(false);
        this.#timers.set(command.key, command.untilMs);
        return;
      case 'cancel_timer':
        expect(this.#timers.delete(command.key)).toBe(true);
        return;
      case 'ask_pool':
        expect(this.#asking.has(command.key) || this.#holding.has(command.key)).toBe(false);
        this.#asking.add(command.key);
        return;
      case 'release_pool':
        expect(this.#asking.delete(command.key) || this.#holding.delete(command.key)).toBe(true);
        return;
      case 'look_at_past':
        this.#looksAtPast = true;
        return;
      case 'continue_as_new':
        this.#continues = true;
        return;
      case 'cancel_attempt':
        expect(this.#running.get(command.key)?.attempt).toBe(command.attempt);
        this.#running.delete(command.key);
        return;
      case 'finish_run':
        expect(this.#running.size + this.#timers.size + this.#asking.size + this.#holding.size).toBe(0);
    }
  }
}

const choices = fc.array(fc.nat(1000), { minLength: 1, maxLength: 300 });
const longest = 3000;

function chooser(order: readonly number[]): (below: number) => number {
  let next = 0;
  return (below) => order[next++ % order.length]! % below;
}

function untilOver(run: OperatedRun): void {
  for (let n = 0; !run.isOver; n += 1) {
    expect(n).toBeLessThan(longest);
    run.step();
  }
}

/** With nothing in the way any more, clearing what failed is all it takes. */
function expectGoodEnd(run: OperatedRun): void {
  run.calm();
  untilOver(run);
  if (run.progress.held) run.operate(everything);
  untilOver(run);
  expect(run.progress.outcome).toBe('success');
}

test('whatever an operator does to a run at any time, it never sticks nor repeats an epoch, and can be brought to success', () => {
  fc.assert(
    fc.property(randomRun, choices, fc.nat(60), (run, order, steps) => {
      const operated = new OperatedRun(run, chooser(order));
      for (let n = 0; n < steps && operated.progress.outcome === null; n += 1) {
        if (operated.progress.held) operated.operate(everything);
        else operated.step();
      }
      if (operated.progress.outcome === null) expectGoodEnd(operated);
    }),
    { numRuns: 9000 },
  );
});

test('a run that ended at any moment is carried on from there, and can be brought to success', () => {
  fc.assert(
    fc.property(randomRun, choices, fc.nat(40), fc.boolean(), (run, order, steps, cancelled) => {
      const choose = chooser(order);
      const first = new OperatedRun(run, choose);
      for (let n = 0; n < steps && !first.isOver; n += 1) first.step();
      if (first.progress.outcome === 'success') return;
      if (cancelled) first.cancel();
      const second = new OperatedRun(run, choose, first);
      for (let n = 0; n < steps && !second.isOver; n += 1) second.step();
      if (second.progress.outcome === 'success') return;
      expectGoodEnd(new OperatedRun(run, choose, second));
    }),
    { numRuns: 9000 },
  );
});
