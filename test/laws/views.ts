import { type AccountPast, View } from './past.ts';

/**
 * How an account may have stood for the enforcer at an instant: what was due comes before the events of that instant, what
 * an event leads to comes after it. First how it stood before them, instants of the rater included, then after each.
 */
export function viewsAt(account: AccountPast, at: number): readonly View[] {
  const steps = [
    lastStepBefore(account, at),
    ...account.steps.filter(({ clock }) => clock === at).map(({ step }) => step),
  ];
  return steps.filter((step) => step !== undefined).map((step) => viewAfter(account, step, at));
}

/** How an account stood when what was due at an instant was carried out; undefined: it was not open. */
export function viewBefore(account: AccountPast, at: number): View | undefined {
  const step = lastStepBefore(account, at);
  return step === undefined ? undefined : viewAfter(account, step, at);
}

export function viewAfter(account: AccountPast, step: number, at: number): View {
  return new View(account, step, at, account.books.exhaustedAt(at, step));
}

function lastStepBefore(account: AccountPast, at: number): number | undefined {
  return account.steps.findLast(({ clock }) => clock < at)?.step;
}
