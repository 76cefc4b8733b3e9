import { assertNever } from '../../shared/assert-never.ts';
import type { Instant } from '../../shared/time.ts';
import type { Account, Timed } from './account.ts';

/** C6: has the account look at `subject` when time comes to `at`. Too early is harmless, too late is not. */
export function putTimer(account: Account, at: Instant, subject: Timed): void {
  account.timers.put(at, timerKey(subject), subject);
}

/** C6: what falls on one instant is carried out in one step, expiries first, then by kind and id. */
function timerKey(subject: Timed): string {
  switch (subject.kind) {
    case 'grant':
      return `0/${subject.id}`;
    case 'reservation':
      return `1/${subject.id}`;
    case 'node':
      return `2/${subject.cluster.id}/${subject.id}`;
    case 'gpu_type':
      return `3/${subject.cluster.id}/${subject.gpuType}`;
    case 'volume':
      return `4/${subject.id}`;
    case 'month':
      return `5/${subject.month}`;
    default:
      return assertNever(subject);
  }
}
