import type { Command } from '../../../services/shared/contracts/command.ts';

/** K: what the fleet obeys: a command on `control.compute` or `control.storage`. */
export interface Order {
  readonly accountId: string;
  readonly kind: 'cluster' | 'volume';
  readonly resourceId: string;
  readonly command: 'pause' | 'resume' | 'revoke' | 'restore' | 'decommission';
  readonly scope: 'cluster' | 'burst' | 'volume';
  readonly sequence: number;
}

/** The order in a command; undefined for an alert, which asks for nothing. */
export function orderOf(
  command: Pick<Command, 'accountId' | 'resource' | 'command' | 'scope' | 'sequence'>,
): Order | undefined {
  const { accountId, resource, scope, sequence } = command;
  if (command.command === 'alert' || scope === undefined) return undefined;
  if (resource.kind !== 'cluster' && resource.kind !== 'volume') return undefined;
  return { accountId, kind: resource.kind, resourceId: resource.id, command: command.command, scope, sequence };
}
