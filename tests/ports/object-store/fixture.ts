import type { ObjectStore } from '../../../ports/object-store.ts';

export interface ObjectStoreFixture extends AsyncDisposable {
  readonly store: ObjectStore;
}

/** Opens an empty store. */
export type OpenObjectStore = () => Promise<ObjectStoreFixture>;
