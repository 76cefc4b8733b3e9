import { openAccess } from '../access/access.ts';
import { type Place, placeOf, type Where } from '../access/place.ts';
import type { Access } from '../access/port.ts';
import { progressOn } from '../terminal/progress.ts';
import type { World } from './world.ts';

/**
 * Opens what `--data` and `--cluster` name for the time of a command's work; on a terminal it tells how long it waits for the
 * services of a cluster.
 */
export async function lookInto<Result>(
  where: Where,
  world: World,
  work: (access: Access, place: Place) => Promise<Result>,
): Promise<Result> {
  const place = placeOf(where, world.environment);
  const access = await openAccess(place, world.now);
  const processed: Access['processed'] = async (partition, offset) => {
    const waiting = progressOn(world.stderr, { label: 'wait for the services', unit: 'events' });
    await access.processed(partition, offset, (done) => waiting.show(done, offset)).finally(waiting.stop);
  };
  try {
    return await work({ ...access, processed }, place);
  } finally {
    await access.close();
  }
}
