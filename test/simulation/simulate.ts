import { accept } from '../../services/ingest/core/accept.ts';
import { parseInstant } from '../../services/shared/time.ts';
import { generateHistory } from '../histories/history.ts';
import { randomFrom } from '../histories/random.ts';
import { drawSettings, type Settings } from './settings.ts';
import { faultsOf } from './verdict.ts';
import { Stuck } from './virtual-time.ts';
import { type Incoming, type Tamper, World } from './world.ts';

const OPERATOR = { keyId: 'simulation', role: 'operator', accounts: 'all' } as const;
const RULES = { logTime: 'event', recordCharsMax: 256 * 1024 } as const;
/** So long what is under way may take once nothing goes wrong any more, in virtual time. */
const CALM_MS = 3_600_000;

export interface Simulated {
  readonly world: World;
  readonly faults: readonly string[];
}

/** One history, one set of settings, one run of chaos: all of it decided by the seed. */
export async function simulate(seed: number, change: Partial<Settings> = {}, tamper?: Tamper): Promise<Simulated> {
  const random = randomFrom(seed);
  const settings = { ...drawSettings(random), ...change };
  const events = incoming(seed);
  const world = new World(random.int(1, 2 ** 31), settings, tamper);
  world.begin();
  let sent = false;
  void sendAll(world, events, settings, random.int(1, 2 ** 31)).then(() => {
    sent = true;
  });
  try {
    await world.time.runUntil(() => sent || world.unexpected.length > 0, world.time.now() + 24 * CALM_MS);
    world.calm();
    await world.time.runUntil(() => world.isDrained(), world.time.now() + CALM_MS);
    world.endZombies();
    await world.time.runUntil(() => world.isDrained(), world.time.now() + CALM_MS);
    await world.shutDown(world.time.now() + CALM_MS);
  } catch (fault) {
    if (!(fault instanceof Stuck)) throw fault;
    return { world, faults: [`stuck: ${fault.message}`, ...faultsOf(world)] };
  }
  return { world, faults: faultsOf(world) };
}

async function sendAll(world: World, events: readonly Incoming[], settings: Settings, seed: number): Promise<void> {
  const random = randomFrom(seed);
  for (let from = 0; from < events.length; ) {
    const piece = random.int(1, settings.pieceMax);
    await world.send(events.slice(from, from + piece));
    from += piece;
    await world.pause(settings.pauseMaxMs);
  }
}

/** E4: the lines of a seed's history that ingest lets in; `until` becomes a tick. */
function incoming(seed: number): readonly Incoming[] {
  const { lines, until } = generateHistory(seed, { accountsMax: 3 });
  const events = lines.flatMap((line): Incoming[] => {
    const value = parsed(line);
    const accepted = accept(value, OPERATOR, RULES);
    return accepted.kind === 'accepted' ? [accepted] : [];
  });
  const at = until === undefined ? undefined : parseInstant(until);
  if (at === undefined) return events;
  const text = `{"specversion":"1.0","id":"until","source":"simulation","type":"clock.tick","data":{}}`;
  return [...events, { type: 'clock.tick', account: undefined, at, text }];
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
