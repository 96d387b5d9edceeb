import { objectStoreConformance } from '../../ports/object-store.case.ts';
import { describeWithBed, openedStore } from './emulated-bucket.ts';

describeWithBed('with S3', () => objectStoreConformance('the S3 object store', openedStore));
