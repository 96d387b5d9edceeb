import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import type { ObjectInfo } from '../../ports/object-store.ts';
import type { Bucket } from './bucket.ts';
import { plainEtag } from './upload.ts';

/** What S3 copies in one request, and pieces of what is larger. */
export interface CopySizes {
  readonly inOneBytes: number;
  readonly pieceBytes: number;
}

export const s3CopySizes: CopySizes = { inOneBytes: 5 * 2 ** 30, pieceBytes: 2 ** 30 };

const piecesAtOnce = 4;

/** Copies inside S3 what `from` says the source is; an error of status 412 when it is no longer that. */
export async function copyObject(
  bucket: Bucket,
  from: ObjectInfo,
  to: string,
  sizes: CopySizes,
): Promise<{ readonly etag: string }> {
  const source = {
    CopySource: `${bucket.name}/${(bucket.prefix + from.key).split('/').map(encodeURIComponent).join('/')}`,
    CopySourceIfMatch: `"${from.etag}"`,
  };
  if (from.bytes > sizes.inOneBytes) return copyInPieces(bucket, from, to, source, sizes.pieceBytes);
  const answer = await bucket.client.send(
    new CopyObjectCommand({ ...bucket.at(to), ...source, ...bucket.encryption() }),
  );
  return { etag: plainEtag(answer.CopyObjectResult?.ETag ?? '') };
}

async function copyInPieces(
  bucket: Bucket,
  from: ObjectInfo,
  to: string,
  source: { readonly CopySource: string; readonly CopySourceIfMatch: string },
  pieceBytes: number,
): Promise<{ readonly etag: string }> {
  const { UploadId } = await bucket.client.send(
    new CreateMultipartUploadCommand({ ...bucket.at(to), ...bucket.encryption() }),
  );
  const upload = { ...bucket.at(to), UploadId: UploadId! };
  const count = Math.ceil(from.bytes / pieceBytes);
  const Parts: CompletedPart[] = [];
  const numbers = Array.from({ length: count }, (_, at) => at + 1).values();
  const copyPieces = async (): Promise<void> => {
    for (const PartNumber of numbers) {
      const start = (PartNumber - 1) * pieceBytes;
      const CopySourceRange = `bytes=${start}-${Math.min(start + pieceBytes, from.bytes) - 1}`;
      const { CopyPartResult } = await bucket.client.send(
        new UploadPartCopyCommand({ ...upload, ...source, PartNumber, CopySourceRange }),
      );
      Parts[PartNumber - 1] = { PartNumber, ETag: CopyPartResult?.ETag };
    }
  };
  try {
    const lanes = await Promise.allSettled(Array.from({ length: piecesAtOnce }, copyPieces));
    const failed = lanes.find((lane) => lane.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const done = await bucket.client.send(
      new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }),
    );
    return { etag: plainEtag(done.ETag ?? '') };
  } catch (error) {
    await bucket.client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}
