import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Decision } from '../../dag/backfill.ts';
import { advanceBackfill, newBackfill } from '../../dag/backfill-reducer.ts';
import type {
  BackfillCommand,
  BackfillEvent,
  BackfillOutcome,
  BackfillProgress,
  IntervalRecord,
} from '../../dag/backfill-reducer.ts';

type Fate = 'skip' | 'refused' | BackfillOutcome;
type Operator = 'pause_requested' | 'resume_requested' | 'cancel_requested';

interface World {
  readonly fates: readonly Fate[];
  readonly maxActiveRuns: number;
  readonly runsPerExecution: number;
  /** After how many events of its own the world lets the operator act. */
  readonly operator: readonly { readonly after: number; readonly does: Operator }[];
  /** Picks which of the things that may happen next does. */
  readonly picks: readonly number[];
}

const startOf = (index: number): string => new Date(Date.UTC(2026, 0, 1 + index)).toISOString();
const indexOf = (start: string): number => (Date.parse(start) - Date.UTC(2026, 0, 1)) / 86_400_000;

/** The ledger and Temporal as simply as they can be told, and every promise of the reducer looked after at each step. */
class Model {
  readonly world: World;
  progress: BackfillProgress;
  readonly told = new Map<string, IntervalRecord>();
  readonly startedEver: string[] = [];
  readonly open = new Map<string, 'asked' | 'going'>();
  asked: Extract<BackfillCommand, { type: 'ask' }> | null = null;
  revision = 0;
  startedHere = 0;
  executions = 1;
  paused = false;
  cancelled = false;
  outcome: BackfillOutcome | null = null;
  toldPaused = false;

  constructor(world: World) {
    this.world = world;
    this.progress = newBackfill(world.fates.length > 0 ? startOf(0) : null, world);
  }

  tell(
    event: BackfillEvent extends infer E ? (E extends BackfillEvent ? Omit<E, 'at'> : never) : never,
  ): void {
    // Nobody hears what is said after the end.
    if (this.outcome !== null) return;
    if (event.type === 'pause_requested') this.paused = true;
    if (event.type === 'resume_requested') this.paused = false;
    if (event.type === 'cancel_requested') this.cancelled = true;
    const { progress, commands } = advanceBackfill(this.progress, { ...event, at: 1 } as BackfillEvent);
    this.progress = progress;
    for (const command of commands) this.perform(command);
  }

  perform(command: BackfillCommand): void {
    expect(this.outcome).toBeNull();
    switch (command.type) {
      case 'ask':
        expect(this.asked).toBeNull();
        expect(command.revision).toBeGreaterThan(this.revision);
        this.revision = command.revision;
        this.asked = command;
        return;
      case 'start_run':
        expect(this.paused || this.cancelled).toBe(false);
        expect(this.startedEver).not.toContain(command.interval.start);
        this.startedEver.push(command.interval.start);
        this.startedHere += 1;
        expect(this.startedHere).toBeLessThanOrEqual(this.world.runsPerExecution);
        this.open.set(command.interval.start, 'asked');
        expect(this.open.size).toBeLessThanOrEqual(this.world.maxActiveRuns);
        return;
      case 'cancel_runs':
        expect(this.cancelled).toBe(true);
        return;
      case 'continue_as_new':
        expect(this.open.size).toBe(0);
        expect(this.asked).toBeNull();
        this.startedHere = 0;
        this.executions += 1;
        this.progress = JSON.parse(JSON.stringify(command.progress)) as BackfillProgress;
        return this.tell({ type: 'begun' });
      case 'finish':
        expect(this.open.size).toBe(0);
        expect(this.asked).toBeNull();
        this.outcome = command.outcome;
    }
  }

  answer(): void {
    const { records, cursor, free, paused } = this.asked!;
    this.asked = null;
    this.toldPaused = paused;
    for (const record of records) {
      const known = this.told.get(record.start);
      expect(known === undefined || known.state === 'running').toBe(true);
      this.told.set(record.start, record);
    }
    const decisions: Decision[] = [];
    let at = cursor === null ? this.world.fates.length : indexOf(cursor);
    for (let starts = 0; free > 0 && at < this.world.fates.length && starts < free; at += 1) {
      const action = this.world.fates[at] === 'skip' ? 'skip' : 'start';
      if (action === 'start') starts += 1;
      decisions.push({ start: startOf(at), end: startOf(at + 1), action, reason: 'no run yet' });
    }
    this.tell({ type: 'answered', decisions, cursor: at < this.world.fates.length ? startOf(at) : null });
  }

  /** What may happen next, in any order. */
  possible(): (() => void)[] {
    const runs = [...this.open].map(([start, state]) => () => {
      const fate = this.world.fates[indexOf(start)]!;
      if (state === 'going' || fate === 'refused') this.open.delete(start);
      else this.open.set(start, 'going');
      if (fate === 'refused') this.tell({ type: 'run_refused', start });
      else if (state === 'asked') this.tell({ type: 'run_started', start, runId: `run of ${start}` });
      else this.tell({ type: 'run_ended', start, outcome: fate as BackfillOutcome, message: null });
    });
    return [...(this.asked === null ? [] : [() => this.answer()]), ...runs];
  }

  run(): void {
    this.tell({ type: 'begun' });
    for (let round = 0; this.outcome === null; round += 1) {
      expect(round).toBeLessThan(5000);
      for (const { after, does } of this.world.operator) if (after === round) this.tell({ type: does });
      const next = this.possible();
      if (next.length > 0) next[(this.world.picks[round % this.world.picks.length] ?? 0) % next.length]!();
      // Nothing moves while it is paused: the operator goes home late, but goes.
      else if (this.outcome === null && round > 60) this.tell({ type: 'resume_requested' });
    }
  }
}

const worlds: fc.Arbitrary<World> = fc.record({
  fates: fc.array(fc.constantFrom<Fate>('skip', 'refused', 'success', 'success', 'failed', 'cancelled'), {
    maxLength: 30,
  }),
  maxActiveRuns: fc.integer({ min: 1, max: 5 }),
  runsPerExecution: fc.integer({ min: 1, max: 8 }),
  operator: fc.array(
    fc.record({
      after: fc.integer({ min: 0, max: 60 }),
      does: fc.constantFrom<Operator>(
        'pause_requested',
        'resume_requested',
        'pause_requested',
        'cancel_requested',
      ),
    }),
    { maxLength: 4 },
  ),
  picks: fc.array(fc.nat(10), { minLength: 1, maxLength: 20 }),
});

test('whatever happens in whatever order: no run too many, none twice, none stranded, and everything told', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const model = new Model(world);
      model.run();
      const { progress, told } = model;
      // Every run it started is told of with its end.
      for (const start of model.startedEver) {
        const fate = world.fates[indexOf(start)]!;
        expect(told.get(start)?.state).toBe(fate === 'refused' ? 'skipped' : fate);
      }
      const states = [...told.values()].map(({ state }) => state);
      for (const [name, counted] of Object.entries(progress.counts))
        expect(states.filter((state) => state === name)).toHaveLength(counted);
      // A prefix of the range was dealt with, all of it unless cancelled.
      expect([...told.keys()].map(indexOf).sort((a, b) => a - b)).toEqual(
        [...told.keys()].map((_, index) => index),
      );
      if (!model.cancelled) expect(told.size).toBe(world.fates.length);
      const bad = states.some((state) => state === 'failed' || state === 'cancelled');
      expect(model.outcome).toBe(model.cancelled ? 'cancelled' : bad ? 'failed' : 'success');
      expect(model.toldPaused).toBe(model.paused);
    }),
    { numRuns: 2000 },
  );
});

test('what is carried to the next execution does not grow with the number of intervals', () => {
  const sizeOf = (length: number): number => {
    const model = new Model({
      fates: Array.from({ length }, () => 'failed' as const),
      maxActiveRuns: 3,
      runsPerExecution: 25,
      operator: [],
      picks: [0, 2, 1],
    });
    model.run();
    expect(model.executions).toBeGreaterThan(length / 26);
    return JSON.stringify(model.progress).length;
  };
  expect(sizeOf(1000)).toBeLessThan(sizeOf(100) + 50);
});
