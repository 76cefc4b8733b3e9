import type { View } from './past.ts';
import type { Action, Command } from './rows.ts';
import type { Told } from './told.ts';

/** What an alert announces that a command carries out; undefined: it does not name it. */
export function namedBy(notice: Command, command: Command): Action | undefined {
  if (notice.alert !== 'credits_exhausted' && notice.alert !== 'resource_unfunded') return undefined;
  return notice.actions.find(
    ({ key, command: name, scope }) => key === command.key && name === command.command && scope === command.scope,
  );
}

/** N3, N4: what comes to a resource of an account that is exhausted, if it gets its notice now. */
export function unfundedActions(view: View, key: string, told: Told): readonly Action[] {
  const { policy, at } = view;
  const id = key.slice(key.indexOf('/') + 1);
  const act = (command: string, scope: string, afterMs: number, gpus?: number): Action => ({
    key,
    command,
    scope,
    gpus,
    at: at + afterMs,
  });
  if (key.startsWith('volume/')) {
    if (told.stopped !== undefined || !view.active(key)) return [];
    return [
      act('revoke', 'volume', policy.revokeAfter),
      act('decommission', 'volume', policy.revokeAfter + policy.decommissionRevokedAfter),
    ];
  }
  const standing = told.sent !== undefined && told.sent.scope !== 'burst';
  if (standing && !view.holds(id)) return [];
  const gpus = view.uncoveredGpus(id);
  if (view.holds(id)) return gpus > 0 ? [act('decommission', 'burst', policy.burstDecommissionAfter, gpus)] : [];
  if (told.stopped !== undefined) {
    return view.begins(id) ? [] : [act('decommission', 'cluster', policy.decommissionPausedAfter)];
  }
  if (!view.active(key)) return [];
  const pause = act('pause', 'cluster', policy.pauseAfter);
  if (view.begins(id)) return [pause];
  return [pause, act('decommission', 'cluster', policy.pauseAfter + policy.decommissionPausedAfter)];
}
