import { objectStoreConformance } from '../../ports/object-store.case.ts';
import { openedStore } from './emulated-bucket.ts';

objectStoreConformance('the S3 object store', openedStore);
