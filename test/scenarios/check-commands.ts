import { member, millis, pairUp, same, short } from './compare.ts';
import type { CommandFact, CommandTuple, Output, Row } from './facts.ts';

/** A command's line as the tuple that scenarios list. */
export function commandTuple(command: Row): CommandTuple {
  const resource = member(command, 'resource');
  return [
    member(command, 'issued_at'),
    member(command, 'command'),
    member(command, 'alert'),
    `${String(member(resource, 'kind'))}/${String(member(resource, 'id'))}`,
    ...['scope', 'gpus', 'reason', 'attempt'].map((key) => member(command, key)),
  ];
}

/** The account's commands (all, or those of the named kinds) are the wanted ones and no others, in a possible order. */
export function checkCommands(account: string, wants: readonly CommandTuple[], output: Output, kinds?: Set<unknown>) {
  const name = `commands[${account}]`;
  const all = output.commands.filter((command) => member(command, 'account_id') === account).map(commandTuple);
  const found = all.flatMap((tuple, index) => {
    const next = all[index + 1];
    return next === undefined || millis(tuple[0]) <= millis(next[0])
      ? []
      : [`${name}: not in the order of issue: ${short(tuple)} before ${short(next)}`];
  });
  const gots = kinds === undefined ? all : all.filter((tuple) => kinds.has(tuple[2] ?? tuple[1]));
  const { missing, extra, gotOf } = pairUp(wants, gots, commandMatches);
  found.push(...missing.map((want) => `${name}: missing ${short(want)}`));
  found.push(...extra.map((got) => `${name}: unexpected ${short(got)}`));
  if (missing.length === 0 && extra.length === 0) found.push(...checkOrder(name, wants, gotOf));
  return found;
}

/** None of the named commands or alerts went to the named resources (`"*"`: to any). */
export function checkAbsent(account: string, absent: readonly (readonly [string, string])[], output: Output) {
  return output.commands
    .filter((command) => member(command, 'account_id') === account)
    .map(commandTuple)
    .filter(([, command, alert, resource]) =>
      absent.some(([name, where]) => (name === command || name === alert) && (where === '*' || where === resource)),
    )
    .map((tuple) => `commands_absent[${account}]: ${short(tuple)}`);
}

/** One command is like `fact.is`, and what the fact says of it holds. */
export function checkCommandFact(fact: CommandFact, output: Output): string[] {
  const name = `command_facts ${short(fact.is)}`;
  const alike = output.commands.filter(
    (command) =>
      commandMatches(fact.is, commandTuple(command)) &&
      (fact.account_id === undefined || member(command, 'account_id') === fact.account_id),
  );
  const [command] = alike;
  if (command === undefined || alike.length > 1) return [`${name}: ${alike.length} commands like it`];
  const found = Object.entries(fact.has ?? {})
    .filter(([key, want]) => !same(key, want, member(command, key)))
    .map(([key, want]) => `${name}: ${key} expected ${short(want)}, got ${short(member(command, key))}`);
  if (fact.notice !== undefined) found.push(...checkNotice(name, fact.notice, command, output));
  if (fact.actions !== undefined) found.push(...checkActions(name, fact.actions, command));
  return found;
}

function commandMatches(want: CommandTuple, got: CommandTuple): boolean {
  return want.every((value, index) => same(index === 0 ? 'issued_at' : '', value, got[index]));
}

/** At one instant: entries of one resource as listed, and the account's alert before the account's commands. */
function checkOrder(name: string, wants: readonly CommandTuple[], gotOf: ReadonlyMap<number, number>): string[] {
  const found: string[] = [];
  for (const [i, first] of wants.entries()) {
    for (const [j, second] of wants.entries()) {
      if (j <= i || (gotOf.get(i) ?? 0) < (gotOf.get(j) ?? 0) || millis(first[0]) !== millis(second[0])) continue;
      const ofAccount = String(first[3]).startsWith('account/') && second[1] !== 'alert';
      if (first[3] === second[3] || ofAccount) found.push(`${name}: ${short(first)} must come before ${short(second)}`);
    }
  }
  return found;
}

function checkNotice(name: string, want: CommandTuple, command: Row, output: Output): string[] {
  const id = member(command, 'notice_id');
  const notices = output.commands.filter((other) => id !== null && member(other, 'command_id') === id);
  const [notice] = notices;
  const holds = notice !== undefined && notices.length === 1 && commandMatches(want, commandTuple(notice));
  return holds ? [] : [`${name}: notice_id should be that of ${short(want)}, is ${short(id)}`];
}

/** The shape of an action is free, the facts in it are not: each listed value must occur in it. */
function checkActions(name: string, wants: readonly (readonly unknown[])[], command: Row): string[] {
  const actions = member(member(command, 'detail'), 'actions');
  if (actions === null && wants.length === 0) return [];
  if (!Array.isArray(actions)) return [`${name}: detail.actions is ${short(actions)}`];
  const { missing, extra } = pairUp(wants, actions.map(short), (want, action) =>
    want.every((fact) => action.includes(short(fact))),
  );
  return [
    ...missing.map((want) => `detail.actions: missing ${short(want)} among ${short(actions)}`),
    ...extra.map((action) => `detail.actions: unexpected ${action}`),
  ];
}
