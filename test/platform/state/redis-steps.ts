import {
  type Commit,
  type Fence,
  isStateError,
  type StateErrorCode,
  type StateStore,
} from '../../../platform/state/port.ts';

export const SCOPE = 'rater/0';

const KEYS = ['a', 'b', 'c', 'd'];

/** A step whose every part says its offset, so that one that is torn, or two that are mixed, can be told. */
export function tellingStep(nextOffset: number, content = `${nextOffset}`, fields = 40): Commit {
  const names = Array.from({ length: fields }, (_, index) => index);
  return {
    next: { nextOffset, version: '1', meta: content },
    writes: names.map((index) => [KEYS[index % KEYS.length] ?? '', `f${index}`, content] as const),
    timers: names.map((index) => [`t${index}`, nextOffset] as const),
  };
}

/** The content of the one step of `tellingStep` that all of the stored state is of; throws if it is of several. */
export async function wholeContent(store: StateStore, fence: Fence, fields = 40): Promise<string | undefined> {
  const { checkpoint, hashes } = await store.peek(SCOPE, KEYS);
  const values = [...hashes.values()].flatMap((hash) => [...hash.values()]);
  const due = await store.due(SCOPE, fence, Number.MAX_SAFE_INTEGER, 10_000);
  const found = new Set([...values, ...(checkpoint === undefined ? [] : [checkpoint.meta])]);
  const instants = new Set(due.map(({ at }) => at));
  const expected = checkpoint === undefined ? 0 : fields;
  if (values.length !== expected || due.length !== expected || found.size > 1 || instants.size > 1) {
    throw new Error(`torn: ${values.length} values, ${due.length} timers, of ${[...found]} and ${[...instants]}`);
  }
  if (checkpoint !== undefined && !instants.has(checkpoint.nextOffset)) throw new Error('timers of another step');
  return checkpoint?.meta;
}

/** Of each call that gives a fence, how it ended: `done`, or the code of its error. */
export async function outcomesOf(store: StateStore, fence: Fence, step: Commit): Promise<string[]> {
  const calls = [
    () => store.load(SCOPE, fence, ['a']),
    () => store.due(SCOPE, fence, 9, 9),
    () => store.scan(SCOPE, { limit: 9, fence }),
    () => store.commit(SCOPE, fence, step),
  ];
  const outcomes: string[] = [];
  for (const call of calls) outcomes.push(await call().then(() => 'done', codeOf));
  return outcomes;
}

export const ALL_FENCED = ['Fenced', 'Fenced', 'Fenced', 'Fenced'];

function codeOf(error: unknown): string {
  const codes: StateErrorCode[] = [
    'Fenced',
    'StateUnavailable',
    'StateWriteFailed',
    'StateCorrupt',
    'StateInputInvalid',
  ];
  return codes.find((code) => isStateError(error, code)) ?? String(error);
}
