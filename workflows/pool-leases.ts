import {
  CancellationScope,
  defineSignal,
  proxyLocalActivities,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { PoolPlan } from '../dag/plan.ts';
import type { PoolAnswer } from '../dag/pools.ts';
import type { Failure, InstanceKey } from '../dag/reducer.ts';
import type { PoolAsk, PoolReply, PoolSteps } from '../ports/pools.ts';
import type { CarriedLease } from '../ports/run-steps.ts';
import { endingOf } from './failures.ts';
import { LookTimer } from './look-timer.ts';
import { localRetryThresholdMs, stepRetries, stepTimeoutMs } from './policies.ts';

const granted = defineSignal<[readonly string[]]>('poolGranted');

const { 'ingot.leasePools': leasePools } = proxyLocalActivities<PoolSteps>({
  startToCloseTimeout: stepTimeoutMs,
  localRetryThreshold: localRetryThresholdMs,
  retry: stepRetries,
});

/** A grant comes by signal; looking only tells anew who is in the way. */
const looks = { firstMs: 15_000, longestMs: 300_000 };

interface Lease extends PoolAsk {
  asked: boolean;
}

/**
 * The slots this run's attempts hold and wait for, asked for and given back in batches. At most one call is under way,
 * so that a release never overtakes its request.
 */
export class PoolLeases {
  readonly #runId: string;
  readonly #tell: (answers: readonly PoolAnswer[]) => void;
  readonly #onDefect: (error: unknown) => void;
  readonly #scope = CancellationScope.current();
  readonly #waiting = new Map<InstanceKey, Lease>();
  readonly #held = new Map<InstanceKey, Lease>();
  readonly #timer = new LookTimer('looks at its pools', looks, () => this.#look());
  #releases: Lease[] = [];
  #lookNow = false;
  #calling: Promise<void> | null = null;

  /** `carried` are those of the execution before this one: asked for again, each is the lease it was. */
  readonly #carried = new Map<InstanceKey, CarriedLease>();

  constructor(
    runId: string,
    carried: readonly CarriedLease[],
    tell: (answers: readonly PoolAnswer[]) => void,
    onDefect: (error: unknown) => void,
  ) {
    this.#runId = runId;
    for (const lease of carried)
      if (lease.held) this.#held.set(lease.task, { ...lease, asked: true });
      else this.#carried.set(lease.task, lease);
    this.#tell = tell;
    this.#onDefect = onDefect;
    setHandler(granted, (leaseIds) => this.#granted(leaseIds));
  }

  ask(key: InstanceKey, { name, slots, priority }: PoolPlan): void {
    const leaseId = this.#carried.get(key)?.leaseId ?? uuid4();
    this.#carried.delete(key);
    const lease = { leaseId, pool: name, task: key, slots, priority, asked: false };
    this.#waiting.set(key, lease);
    this.#timer.hurry();
    this.#next();
  }

  release(key: InstanceKey): void {
    const lease = this.#held.get(key) ?? this.#waiting.get(key);
    this.#held.delete(key);
    this.#waiting.delete(key);
    if (lease === undefined) return;
    this.#releases.push(lease);
    this.#next();
  }

  /** Resolves when everything was given back. */
  async close(): Promise<void> {
    this.#timer.clear();
    await this.settled();
  }

  /** Resolves when the ledger has heard of everything that was asked for and given back. */
  async settled(): Promise<void> {
    while (this.#calling !== null) await this.#calling;
  }

  /** For an execution that carries on: what the run holds and waits for. */
  get leases(): readonly CarriedLease[] {
    const plain = ({ leaseId, pool, task, slots, priority }: Lease) => ({
      leaseId,
      pool,
      task,
      slots,
      priority,
    });
    return [
      ...[...this.#held.values()].map((lease) => ({ ...plain(lease), held: true })),
      ...[...this.#waiting.values()].map((lease) => ({ ...plain(lease), held: false })),
    ];
  }

  #granted(leaseIds: readonly string[]): void {
    const own = [...this.#waiting.values()].filter(({ leaseId }) => leaseIds.includes(leaseId));
    this.#answer(own.map(({ task: key }) => ({ key, type: 'granted' })));
  }

  #look(): void {
    this.#lookNow = true;
    this.#next();
  }

  /** One call after another; what is asked and released in one step goes out together. */
  #next(): void {
    this.#calling ??= Promise.resolve()
      .then(() => this.#callUntilDone())
      .catch((error: unknown) => {
        this.#calling = null;
        this.#onDefect(error);
      });
  }

  async #callUntilDone(): Promise<void> {
    for (;;) {
      const releases = this.#releases.map(({ leaseId, pool }) => ({ leaseId, pool }));
      const asks = [...this.#waiting.values()].filter(({ asked }) => !asked || this.#lookNow);
      if (releases.length === 0 && asks.length === 0) break;
      this.#releases = [];
      this.#lookNow = false;
      for (const lease of asks) lease.asked = true;
      this.#answer(await this.#call(releases, asks));
    }
    this.#lookNow = false;
    // At once: what is asked from here on needs a call of its own.
    this.#calling = null;
    if (this.#waiting.size > 0) this.#timer.set();
    else this.#timer.clear();
  }

  async #call(releases: Pick<PoolAsk, 'leaseId' | 'pool'>[], asks: readonly Lease[]): Promise<PoolAnswer[]> {
    const { workflowId } = workflowInfo();
    const plain = asks.map(({ leaseId, pool, task, slots, priority }) => ({
      leaseId,
      pool,
      task,
      slots,
      priority,
    }));
    try {
      const reply = await this.#scope.run(() =>
        leasePools({ runId: this.#runId, workflowId, releases, asks: plain }),
      );
      return asks.flatMap((lease) => answerOf(lease, reply, this.#waiting.get(lease.task)));
    } catch (error) {
      const ending = endingOf(error);
      if (ending.type !== 'failed') throw error;
      return asks.map(({ task }) => refusal(task, ending.failure));
    }
  }

  #answer(answers: readonly PoolAnswer[]): void {
    for (const { key, type } of answers) {
      if (type === 'waits') continue;
      if (type === 'granted') this.#held.set(key, this.#waiting.get(key)!);
      this.#waiting.delete(key);
    }
    if (answers.length > 0) this.#tell(answers);
  }
}

function refusal(key: InstanceKey, failure: Failure): PoolAnswer {
  return { key, type: 'refused', failure };
}

/** Nothing for a lease that was given back, or granted by signal, while the ledger was asked. */
function answerOf(lease: Lease, { leases, pools }: PoolReply, current: Lease | undefined): PoolAnswer[] {
  const { leaseId, pool, task: key } = lease;
  const answer = leases[leaseId];
  if (answer === undefined || current?.leaseId !== leaseId) return [];
  switch (answer.state) {
    case 'granted':
      return [{ key, type: 'granted' }];
    case 'refused':
      return [refusal(key, answer.failure)];
    case 'waits':
      return [{ key, type: 'waits', standing: { ...pools[pool]!, ahead: answer.ahead } }];
  }
}
