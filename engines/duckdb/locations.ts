/** Whether an address leads to a store elsewhere, not to a file of this machine. */
export function isRemote(location: string): boolean {
  return location.startsWith('s3://');
}

/**
 * For COPY into a folder that was just cleared. Without patterns in S3 addresses DuckDB cannot look whether it is empty, and takes it
 * to be full.
 */
export function folderOption(location: string): string {
  return isRemote(location) ? ', OVERWRITE_OR_IGNORE true' : '';
}
