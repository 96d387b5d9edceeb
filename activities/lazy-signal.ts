/**
 * An AbortSignal that is made when somebody asks for it. Most attempts are over before anybody has, and to make, listen to
 * and abort one takes longer than all else that is done at an attempt's beginning.
 */
export class LazySignal {
  #controller: AbortController | null = null;
  #abortedFor: Error | null = null;

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#abortedFor !== null) this.#controller.abort(this.#abortedFor);
    }
    return this.#controller.signal;
  }

  /** Why it was aborted first. */
  get reason(): Error | null {
    return this.#abortedFor;
  }

  abort(reason: Error): void {
    if (this.#abortedFor !== null) return;
    this.#abortedFor = reason;
    this.#controller?.abort(reason);
  }
}
