import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3';
import type { ObjectInfo } from '../../ports/object-store.ts';
import type { Bucket } from './bucket.ts';
import { plainEtag } from './upload.ts';

/** Names are asked for percent-encoded, since XML cannot say all of them; some stores answer in plain. */
function decoded(name: string, { EncodingType }: { readonly EncodingType?: string | undefined }): string {
  return EncodingType === 'url' ? decodeURIComponent(name.replaceAll('+', ' ')) : name;
}

/** S3 lists in the byte order of UTF-8 keys, a thousand at a time; a page is fetched when it is read. */
export async function* listObjects(bucket: Bucket, prefix: string): AsyncIterable<ObjectInfo> {
  let token: string | undefined;
  do {
    const page = await bucket.client
      .send(
        new ListObjectsV2Command({
          Bucket: bucket.name,
          Prefix: bucket.prefix + prefix,
          EncodingType: 'url',
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      )
      .catch((error: unknown) => {
        throw bucket.error(error, 's3:ListBucket', prefix);
      });
    for (const object of page.Contents ?? []) {
      const key = decoded(object.Key ?? '', page).slice(bucket.prefix.length);
      // What consoles make for an empty folder is no object of the lake.
      if (key === '' || key.endsWith('/')) continue;
      yield {
        key,
        bytes: object.Size ?? 0,
        etag: plainEtag(object.ETag ?? ''),
        modifiedAt: (object.LastModified ?? new Date(0)).toISOString(),
      };
    }
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

/** Ends the uploads under `prefix`, or those of them that began before `before`; returns how many there were. */
export async function abortUploads(
  bucket: Bucket,
  prefix: string,
  before: Date | undefined,
): Promise<number> {
  const wanted = bucket.prefix + prefix;
  let count = 0;
  let markers: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } = {};
  for (;;) {
    const page = await bucket.client
      .send(
        new ListMultipartUploadsCommand({
          Bucket: bucket.name,
          Prefix: wanted,
          EncodingType: 'url',
          ...markers,
        }),
      )
      .catch((error: unknown) => {
        throw bucket.error(error, 's3:ListBucketMultipartUploads', prefix);
      });
    for (const upload of page.Uploads ?? []) {
      const key = decoded(upload.Key ?? '', page);
      const isYoung = before !== undefined && (upload.Initiated ?? new Date()) >= before;
      if (!key.startsWith(wanted) || isYoung) continue;
      await end(bucket, key, upload.UploadId ?? '');
      count += 1;
    }
    if (page.IsTruncated !== true) return count;
    markers = {
      ...(page.NextKeyMarker === undefined ? {} : { KeyMarker: decoded(page.NextKeyMarker, page) }),
      ...(page.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: page.NextUploadIdMarker }),
    };
  }
}

async function end(bucket: Bucket, Key: string, UploadId: string): Promise<void> {
  try {
    await bucket.client.send(new AbortMultipartUploadCommand({ Bucket: bucket.name, Key, UploadId }));
  } catch (error) {
    // Its writer has completed or aborted it meanwhile.
    if (error instanceof Error && error.name === 'NoSuchUpload') return;
    throw bucket.error(error, 's3:AbortMultipartUpload', Key.slice(bucket.prefix.length));
  }
}
