import * as port from '../../ports/object-keys.ts';

/** Where unfinished objects are written; never part of a listing. */
export const temporaryFolder = '.tmp';

function refuseReserved(key: string): string {
  if (key === temporaryFolder || key.startsWith(`${temporaryFolder}/`))
    port.refuseKey(key, `the reserved folder ${temporaryFolder}`);
  return key;
}

/** The port's rule, and the folder this store keeps for itself. */
export function checkedKey(key: string): string {
  return refuseReserved(port.checkedKey(key));
}

export function checkedPrefix(prefix: string): string {
  return refuseReserved(port.checkedPrefix(prefix));
}
