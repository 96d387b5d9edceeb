import type { RetryOptions, TaskDeclaration, TaskOptions } from './declaration.ts';
import type { Duration } from './duration.ts';
import { durationMs, durationText } from './duration.ts';
import { maxPoolSlots, poolNameProblem } from './names.ts';
import { defaultMapLength, maxMapLength } from './plan.ts';
import type { ApprovalPlan, PlanTask, PoolPlan, RetryPlan, RetryRule, SensorPlan } from './plan.ts';
import type { Problem } from './problems.ts';
import { problem, shown } from './problems.ts';
import { defaultQueue, isQueueName } from './queues.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Reads options of one task; what does not fit is told to `problems` and replaced by its default. */
export class Settings {
  readonly #place: string;
  readonly #problems: Problem[];

  constructor(place: string, problems: Problem[]) {
    this.#place = place;
    this.#problems = problems;
  }

  number(name: string, value: unknown, otherwise: number, least: number, most: number, whole = true): number {
    if (value === undefined) return otherwise;
    const fits =
      typeof value === 'number' &&
      (whole ? Number.isInteger(value) : Number.isFinite(value)) &&
      value >= least &&
      value <= most;
    if (fits) return value;
    this.#tell(
      `${name} to be ${whole ? 'a whole number' : 'a number'} from ${least} to ${most}`,
      shown(value),
    );
    return otherwise;
  }

  duration(
    name: string,
    value: Duration | undefined,
    otherwise: number,
    least: number,
    most: number,
  ): number {
    if (value === undefined) return otherwise;
    const ms = durationMs(value);
    if (ms !== null && ms >= least && ms <= most) return ms;
    this.#tell(
      `${name} to be from ${durationText(least)} to ${durationText(most)}, such as '30s' or 30000 (milliseconds)`,
      shown(value),
    );
    return otherwise;
  }

  flag(name: string, value: unknown): boolean {
    if (value !== undefined && typeof value !== 'boolean')
      this.#tell(`${name} to be true or false`, shown(value));
    return value === true;
  }

  text(name: string, value: unknown): string | null {
    if (value === undefined || value === null) return null;
    if (typeof value === 'string') return value;
    this.#tell(`${name} to be text`, shown(value));
    return null;
  }

  /** The first choice unless told. */
  choice<const Choice extends string>(
    name: string,
    value: unknown,
    choices: readonly [Choice, ...Choice[]],
  ): Choice {
    if (value === undefined) return choices[0];
    const found = choices.find((choice) => choice === value);
    if (found === undefined) this.#tell(`${name} to be ${choices.join(' or ')}`, shown(value));
    return found ?? choices[0];
  }

  approval(given: TaskDeclaration<never>['approval']): ApprovalPlan {
    const message = this.text('message', given?.message) ?? '';
    if (message.trim() === '')
      this.#tell('an approval to have a message', shown(given?.message), 'Say what is to be approved.');
    return {
      message,
      timeoutMs:
        given?.timeout === undefined ? null : this.duration('timeout', given.timeout, day, 100, 366 * day),
      onTimeout: this.choice('onTimeout', given?.onTimeout, ['fail', 'skip']),
      onReject: this.choice('onReject', given?.onReject, ['fail', 'skip']),
    };
  }

  retries(given: TaskOptions['retries']): RetryPlan {
    const options: RetryOptions = typeof given === 'number' ? { limit: given } : (given ?? {});
    const initialMs = this.duration(
      'retries.initial',
      options.initial ?? options.initialMs,
      5 * second,
      0,
      day,
    );
    const maxMs = this.duration(
      'retries.max',
      options.max ?? options.maxMs,
      Math.max(5 * minute, initialMs),
      0,
      day,
    );
    if (maxMs < initialMs)
      this.#tell(
        'retries.max not to be below retries.initial',
        `${durationText(maxMs)} and ${durationText(initialMs)}`,
      );
    return {
      limit: this.number('retries.limit', options.limit, 2, 0, 100),
      initialMs,
      factor: this.number('retries.factor', options.factor, 2, 1, 10, false),
      maxMs,
      rules: (options.rules ?? []).map((rule, index) => this.#retryRule(rule, `retries.rules[${index}]`)),
    };
  }

  #retryRule(rule: NonNullable<RetryOptions['rules']>[number], name: string): RetryRule {
    if (typeof rule.errorType !== 'string' || rule.errorType === '')
      this.#tell(`${name}.errorType to name an error type`, shown(rule.errorType));
    if (!['retry', 'fail'].includes(rule.action))
      this.#tell(`${name}.action to be retry or fail`, shown(rule.action));
    const delayMs = rule.delay === undefined ? null : this.duration(`${name}.delay`, rule.delay, 0, 0, day);
    return { errorType: rule.errorType, action: rule.action, delayMs };
  }

  /** Longest time of an attempt, and the longest silence within it. */
  times(
    task: TaskDeclaration<never>,
    otherwise: Duration | undefined,
  ): { timeoutMs: number; heartbeatMs: number | null } {
    const { options, body, kind } = task;
    const timeoutMs =
      kind === 'sensor'
        ? this.duration('pokeTimeout', options.pokeTimeout, minute, second, 30 * day)
        : this.duration('timeout', options.timeout ?? otherwise, hour, second, 30 * day);
    const promised = typeof body === 'object' && body !== null ? body.heartbeatMs : undefined;
    const heartbeat = options.heartbeat ?? promised;
    if (heartbeat === undefined) return { timeoutMs, heartbeatMs: null };
    return {
      timeoutMs,
      heartbeatMs: Math.min(this.duration('heartbeat', heartbeat, minute, second, day), timeoutMs),
    };
  }

  /** The queue that is not the default one, if any. */
  queue(
    { options, kind }: TaskDeclaration<never>,
    otherwise: string | undefined,
  ): { readonly queue?: string } {
    if (kind === 'wait' && options.queue !== undefined)
      this.#tell(
        'a wait to have no queue',
        shown(options.queue),
        'No worker is needed to wait: leave it out.',
      );
    const queue = kind === 'wait' ? defaultQueue : (options.queue ?? otherwise ?? defaultQueue);
    if (typeof queue === 'string' && isQueueName(queue)) return queue === defaultQueue ? {} : { queue };
    this.#tell('queue to be a name of at most 100 letters, digits, _ and -', shown(queue));
    return {};
  }

  /** Nothing for a task that names no pool, and for a `wait`, which never runs. */
  pool(
    { options, kind }: TaskDeclaration<never>,
    defaults: Pick<TaskOptions, 'pool' | 'poolSlots' | 'priority'>,
  ): { readonly pool?: PoolPlan } {
    if (kind === 'wait') return {};
    const name = options.pool ?? defaults.pool;
    if (name === undefined) {
      for (const option of ['poolSlots', 'priority'] as const)
        if (options[option] !== undefined)
          this.#tell(`a pool for ${option}`, 'none', "Name one, such as pool: 'warehouse', or leave it out.");
      return {};
    }
    const wrong = poolNameProblem(this.#place, name);
    if (wrong !== null) this.#problems.push(wrong);
    return {
      pool: {
        name,
        slots: this.number('poolSlots', options.poolSlots ?? defaults.poolSlots, 1, 1, maxPoolSlots),
        priority: this.number('priority', options.priority ?? defaults.priority, 0, -1e9, 1e9),
      },
    };
  }

  mapLength({
    over,
    options: { maxMapLength: given },
  }: TaskDeclaration<never>): Pick<PlanTask, 'maxMapLength'> {
    if (over === null && given !== undefined)
      this.#tell('maxMapLength on a mapped task only', 'a task that is not mapped', 'Leave it out.');
    const most = this.number('maxMapLength', given, defaultMapLength, 1, maxMapLength);
    return over === null || most === defaultMapLength ? {} : { maxMapLength: most };
  }

  sensor(options: TaskDeclaration<never>['options']): SensorPlan {
    if (options.timeout === undefined)
      this.#tell(
        'a sensor to have a timeout',
        'none',
        "Say how long it may wait from its first poke, such as timeout: '6h'.",
      );
    const pokeMs = this.duration('pokeEvery', options.pokeEvery, 30 * second, 100, day);
    return {
      pokeMs,
      timeoutMs: this.duration('timeout', options.timeout, day, 100, 366 * day),
      softFail: this.flag('softFail', options.softFail),
    };
  }

  #tell(expected: string, found: string, remedy = 'Correct the option.'): void {
    this.#problems.push(problem(this.#place, expected, found, remedy));
  }
}
