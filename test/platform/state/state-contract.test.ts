import { describeContract } from '../../contracts/contract.ts';
import { STATE_CONTRACT } from '../../contracts/state-contract.ts';
import { lmdbHarness, memoryHarness } from './harness.ts';

describeContract('the state in memory', STATE_CONTRACT, () => memoryHarness());
describeContract('the state in LMDB', STATE_CONTRACT, lmdbHarness);
