import {
  type Checkpoint,
  type Commit,
  type Fence,
  FencedError,
  STATE_PAGE_MAX,
  STATE_TEXT_UNITS_MAX,
  STATE_VALUE_UNITS_MAX,
  StateError,
} from './port.ts';

/** Throws `StateInputInvalid` for a scope, key, field or member (`what`) that the port does not take. */
export function checkText(what: string, text: string): void {
  if (text.length < 1 || text.length > STATE_TEXT_UNITS_MAX) {
    const shown = JSON.stringify(text.slice(0, 40));
    throw invalid(`${what} ${shown} has ${text.length} UTF-16 units, not 1 to ${STATE_TEXT_UNITS_MAX}`);
  }
}

/** Throws `StateInputInvalid` unless `limit` is a whole number from 1 to `STATE_PAGE_MAX`. */
export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > STATE_PAGE_MAX) {
    throw invalid(`a limit of ${limit}, not 1 to ${STATE_PAGE_MAX}`);
  }
}

/** Throws `StateInputInvalid` for an instant that is no number. */
export function checkUpTo(upTo: number): void {
  if (Number.isNaN(upTo)) throw invalid('timers up to NaN');
}

/** Throws `StateInputInvalid` for a step that no store may write. Checked whole, before anything is written. */
export function checkCommit(fence: Fence, step: Commit): void {
  const { nextOffset, version, meta } = step.next;
  if (!isWhole(nextOffset)) throw invalid(`a checkpoint at ${nextOffset}, not a whole number from 0`);
  if (fence.nextOffset !== undefined && nextOffset < fence.nextOffset) {
    throw invalid(`a checkpoint at ${nextOffset}, below the one before at ${fence.nextOffset}`);
  }
  checkValue('version', version);
  checkValue('meta', meta);
  for (const key of step.dropKeys ?? []) checkText('key', key);
  for (const [key, field, value] of step.writes) {
    checkText('key', key);
    checkText('field', field);
    if (value !== null) checkValue('value', value);
  }
  for (const [member, at] of step.timers) {
    checkText('timer', member);
    if (at !== null && !isWhole(at)) throw invalid(`timer ${JSON.stringify(member)} at ${at}, not integer ms from 0`);
  }
}

/** Throws `Fenced` unless the caller's belief is what is stored. Epoch 0 is a scope that nobody has claimed: nobody's. */
export function checkFence(scope: string, fence: Fence, epoch: number, checkpoint: Checkpoint | undefined): void {
  const found = { epoch, nextOffset: checkpoint?.nextOffset };
  if (fence.epoch < 1 || fence.epoch !== found.epoch || fence.nextOffset !== found.nextOffset)
    throw new FencedError(scope, fence, found);
}

function checkValue(what: string, value: string): void {
  if (value.length > STATE_VALUE_UNITS_MAX) {
    throw invalid(`a ${what} of ${value.length} UTF-16 units, at most ${STATE_VALUE_UNITS_MAX}`);
  }
}

function isWhole(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function invalid(detail: string): StateError {
  return new StateError('StateInputInvalid', detail);
}
