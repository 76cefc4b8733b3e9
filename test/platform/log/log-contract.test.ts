import { describeContract } from '../../contracts/contract.ts';
import { LOG_CONTRACT } from '../../contracts/log-contract.ts';
import { lmdbHarness, memoryHarness } from './harness.ts';

describeContract('the log in memory', LOG_CONTRACT, () => memoryHarness());
describeContract('the log in LMDB', LOG_CONTRACT, lmdbHarness);
