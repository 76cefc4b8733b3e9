import { pino } from 'pino';
import { answeringInstance, openEmbeddedAccess, openEmbeddedReading } from '../embedded/access.ts';
import { answers } from './answers.ts';
import { openClusterAccess, openClusterReading } from './cluster.ts';
import type { Place } from './place.ts';
import type { Access, Reading } from './port.ts';

/**
 * Opens log and state read-only.
 * @throws DataDirectoryInvalidError if the folder holds no instance; whatever keeps the servers of a cluster from being reached
 */
export function openReading(place: Place): Promise<Reading> {
  return place.kind === 'embedded' ? openEmbeddedReading(place.data) : openClusterReading(place.settings);
}

/**
 * Opens all of it. A stopped instance works off its log in this process; a cluster is left to its services.
 * @throws as `openReading`; DataDirectoryLockedError if a process holds the folder that cannot be asked
 */
export function openAccess(place: Place, now: () => number): Promise<Access> {
  if (place.kind === 'cluster') return openClusterAccess(place.settings);
  return openEmbeddedAccess({ dataDir: place.data, now, logger: pino({ level: 'silent' }) });
}

/** The HTTP door that belongs to a place and answers at present. */
export async function answeringDoor(place: Place): Promise<string | undefined> {
  if (place.kind === 'embedded') return (await answeringInstance(place.data))?.url;
  return place.door !== undefined && (await answers(place.door)) ? place.door : undefined;
}
