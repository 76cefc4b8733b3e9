import { Counter, Histogram, type Registry } from 'prom-client';
import { StateError, type StateStore } from '../../../platform/state/port.ts';

type StateOperation = Exclude<keyof StateStore, 'close'>;

/** The same store, and what it takes and where it fails told as metrics. */
export function measuredState(store: StateStore, registry: Registry): StateStore {
  const registers = [registry];
  const seconds = new Histogram({
    name: 'tollgate_state_operation_duration_seconds',
    help: 'How long the state store takes, by operation',
    labelNames: ['operation'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  const faults = new Counter({
    name: 'tollgate_state_faults_total',
    help: 'Operations that the state store did not do, or of which the outcome is unknown, by code',
    labelNames: ['operation', 'code'],
    registers,
  });
  const measure = async <T>(operation: StateOperation, ask: () => Promise<T>): Promise<T> => {
    const done = seconds.startTimer({ operation });
    try {
      return await ask();
    } catch (fault) {
      faults.inc({ operation, code: fault instanceof StateError ? fault.code : 'other' });
      throw fault;
    } finally {
      done();
    }
  };
  return {
    claim: (scope) => measure('claim', () => store.claim(scope)),
    load: (scope, fence, keys) => measure('load', () => store.load(scope, fence, keys)),
    due: (scope, fence, upTo, limit) => measure('due', () => store.due(scope, fence, upTo, limit)),
    commit: (scope, fence, step) => measure('commit', () => store.commit(scope, fence, step)),
    peek: (scope, keys) => measure('peek', () => store.peek(scope, keys)),
    scan: (scope, page) => measure('scan', () => store.scan(scope, page)),
    close: () => store.close(),
  };
}
