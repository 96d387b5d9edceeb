import { AsyncLocalStorage, CancellationScope } from '@temporalio/workflow';

/** The SDK's type leaves out what the class inherits from Node's. */
const { snapshot } = AsyncLocalStorage as unknown as { snapshot(this: void): Within };

type Within = <T>(fn: () => T) => T;

/**
 * A scope that one attempt after another runs in. `CancellationScope.run` makes three promises each time, and for each the
 * SDK takes and maps a stack trace: here they are made once.
 */
export class AttemptScope {
  readonly #scope: CancellationScope;
  #within: Within = () => {
    throw new Error('The scope was not entered.');
  };

  constructor(parent: CancellationScope) {
    this.#scope = new CancellationScope({ cancellable: true, parent });
    // Runs its function at once.
    void this.#scope.run(() => {
      this.#within = snapshot();
      return Promise.resolve();
    });
  }

  /** Runs `start` with this as its current scope. */
  run<T>(start: () => Promise<T>): Promise<T> {
    return this.#within(start);
  }

  cancel(): void {
    this.#scope.cancel();
  }

  get isCancelled(): boolean {
    return this.#scope.consideredCancelled;
  }
}
