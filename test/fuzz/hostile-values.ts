import { AMOUNTS, DURATIONS, IDS, INSTANTS, INTEGERS, POLICY_MEMBERS, Raw, TEXTS } from './hostile-lists.ts';
import type { Random } from './random.ts';

const MEMBERS_MAX = 5000;
const DEPTH = 100_000;
/** Nesting of one event that the door bears by default (json_depth_max). */
const DOOR_DEPTH_MAX = 16;

/** JSON text of a value, also of one that JSON.stringify would not write. */
export function raw(value: unknown): string {
  return value instanceof Raw ? value.text : JSON.stringify(value);
}

/** What is let in, at its bounds: what lies behind the checks has to bear it. */
function boundary(name: string, own: unknown, random: Random): unknown {
  const at = typeof own === 'number' ? own : 1_777_888_800_000;
  if (name === 'ends_at') return at + random.pick([1, 1000, 1_099 * 86_400_000]);
  if (/(^time$|start|end|_at$|_from$)/.test(name)) {
    return random.pick<unknown>([
      ...INSTANTS.slice(0, 3),
      0,
      253_402_300_799_999,
      at + 86_400_000,
      at - 86_400_000,
      at + 1,
    ]);
  }
  if (/(amount|refund|price|gib_month)/.test(name)) {
    return random.pick(['999999999999.999999', '999999999999', '0.000001', '0', '1']);
  }
  if (name === 'gpus') return random.pick([1, 1024, 1_000_000]);
  if (name === 'size_gib') return random.pick([1, 2 ** 40]);
  if (/_id$|^gpu_type$|^subject$|^id$/.test(name)) {
    return random.pick(IDS);
  }
  if (name === 'policy') return hostilePolicy(random, DURATIONS.slice(3, 10));
  return own;
}

/** A value for a member of this name that is at a bound, over it, or of another kind. */
export function hostileValue(name: string, own: unknown, random: Random): unknown {
  if (random.chance(0.4)) return boundary(name, own, random);
  if (random.chance(0.12)) return anything(random);
  if (/(^time$|start|end|_at$|_from$)/.test(name)) return instantNear(own, random);
  if (/(amount|refund|price|gib_month)/.test(name)) return random.pick(AMOUNTS);
  if (/(gpus|size_gib)/.test(name)) return random.pick(INTEGERS);
  if (name === 'policy') return hostilePolicy(random);
  if (name === 'tags' || name === 'gpu_hour') return hostileDictionary(name, random);
  if (name === 'payment') return random.pick(['upfront', 'on_provision', 'later', null]);
  if (name === 'type') return random.pick(['usage.gpu', 'usage.storage', 'clock.tick', 'toString', '__proto__', '', 1]);
  return random.pick(TEXTS);
}

/** A bound of time, or what is a step off the value that was there: an interval turned round, of nothing, of too much. */
function instantNear(own: unknown, random: Random): unknown {
  if (typeof own !== 'number' || random.chance(0.5)) return random.pick(INSTANTS);
  return (
    own + random.pick([0, 1, -1, 3_600_000, -3_600_000, 86_400_000, 86_400_001, -35 * 86_400_000, 1100 * 86_400_000])
  );
}

function hostilePolicy(random: Random, durations = DURATIONS): unknown {
  const members = Array.from({ length: random.below(4) }, (): [string, unknown] => {
    const list = Array.from({ length: random.pick([0, 1, 3, 32, 33]) }, () => random.pick(durations));
    return [random.pick(POLICY_MEMBERS), random.chance(0.3) ? list : random.pick(durations)];
  });
  return new Raw(`{${members.map(([name, value]) => member(name, JSON.stringify(value))).join(',')}}`);
}

/** Few members, or thousands, some of them with hostile names. */
function hostileDictionary(name: string, random: Random): unknown {
  const count = random.pick([0, 1, 16, 17, 64, 1024, 1025, MEMBERS_MAX]);
  const members = Array.from({ length: count }, (_, index): string => {
    const key = random.chance(0.1) ? String(random.pick(TEXTS)) : `k${index}`;
    return member(key, raw(name === 'tags' ? random.pick(TEXTS) : random.pick(AMOUNTS)));
  });
  return new Raw(`{${members.join(',')}}`);
}

function anything(random: Random): unknown {
  switch (random.below(9)) {
    case 0:
      return nested('[', '', ']', random);
    case 1:
      return random.chance(0.5) ? nested('{"a":', '1', '}', random) : {};
    case 2:
      return 'long'.repeat(random.chance(0.1) ? 250_000 : 500);
    case 3:
      return new Raw('9'.repeat(random.pick([20, 400, 10_000])));
    case 4:
      return random.pick([null, true, false, [], {}, [[]], { a: {} }]);
    case 5:
      return Array.from({ length: 1000 }, (_, index) => index);
    case 6:
      return random.pick(INSTANTS);
    case 7:
      return random.pick(TEXTS);
    default:
      return random.pick(INTEGERS);
  }
}

/** Nested about as deep as the door bears (a member of `data` stands two deep), or very deep. */
function nested(open: string, inner: string, close: string, random: Random): Raw {
  const depth = random.chance(0.1)
    ? DEPTH
    : random.pick([DOOR_DEPTH_MAX - 3, DOOR_DEPTH_MAX - 2, DOOR_DEPTH_MAX - 1, 200]);
  return new Raw(open.repeat(depth) + inner + close.repeat(depth));
}

/** One member of an object, as text. */
export function member(name: string, value: string | undefined): string {
  return `${JSON.stringify(name)}:${value ?? 'null'}`;
}
