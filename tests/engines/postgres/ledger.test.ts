import { inject } from 'vitest';
import { ledgerConformance } from '../../ports/ledger.case.ts';
import { ledgersOn } from './ledger-fixture.ts';

ledgerConformance('the Postgres ledger', ledgersOn(inject('postgresUrl')));
