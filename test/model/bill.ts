import type { Account } from './account.ts';
import { type Claim, linesOf, piecesOf, stretchesOf } from './rate-sample.ts';
import type { Body, ModelEvent } from './read-event.ts';
import { provision } from './reservations.ts';
import { charge, type Verdict, type World } from './world.ts';

type Usage = Extract<Body, { tags: unknown }>;

/** R: rates what of a sample is not billed yet; C4: a cluster's first usage provisions it before that. */
export function bill(world: World, account: Account, event: ModelEvent, body: Usage, clock: number): Verdict {
  const claim = claimOf(account.id, event, body);
  const resource = `${claim.resourceKind === 'cluster' ? 'c' : 'v'}/${claim.resourceId}`;
  const key = `${account.id} ${resource}`;
  const earlier = world.pieces.get(key) ?? [];
  const stretches = stretchesOf(claim, account, earlier, world.prices);
  if (stretches === 'no_price') return 'no_price';
  if (stretches.length === 0) return 'duplicate';
  const since = account.decommissionedAt.get(resource) ?? -1;
  const counts = claim.end > since;
  if (counts && claim.resourceKind === 'cluster') provision(world, account, claim.resourceId, event, clock);
  const taken = earlier.filter((p) => p.start < claim.end && p.end > claim.start);
  const pieces = stretches.flatMap((stretch) => piecesOf(claim, account, stretch, taken, clock));
  const lines = linesOf(pieces, world.lines);
  const rated = lines.map((line) => line.written);
  append(world.pieces, key, pieces);
  for (const line of lines) append(world.lines, line.key, [line]);
  world.rated.push(...rated);
  const amount = lines.reduce((sum, line) => sum + line.amount, 0n);
  charge(world, account, { kind: 'usage', amount, ref: claim.event, time: clock, cause: rated[0]?.line_id ?? '' });
  if (counts) {
    const { nodeId, gpuType, weight: size, end } = claim;
    account.sightings.push({ resource, nodeId, gpuType, size, end, seenAt: clock });
    const ends = pieces.filter((p) => p.category !== 'reserved' && p.end > since).map((p) => p.end);
    if (gpuType !== undefined && ends.length > 0) {
      account.uncoveredSightings.push({ resource, gpuType, end: Math.max(...ends), seenAt: clock });
    }
  }
  return 'applied';
}

function claimOf(accountId: string, event: ModelEvent, body: Usage): Claim {
  const { start, end, tags } = body;
  const common = { accountId, start, end, tags, event: `${event.source}/${event.id}` };
  if (body.type === 'usage.storage') {
    const { volumeId, sizeGib } = body;
    return {
      ...common,
      resourceKind: 'volume',
      resourceId: volumeId,
      nodeId: undefined,
      gpuType: undefined,
      weight: sizeGib,
    };
  }
  const { clusterId, nodeId, gpuType, gpus } = body;
  return { ...common, resourceKind: 'cluster', resourceId: clusterId, nodeId, gpuType, weight: gpus };
}

function append<T>(lists: Map<string, T[]>, key: string, items: readonly T[]): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [...items]);
  else list.push(...items);
}
