import type { Random } from './random.ts';

/** Bytes cut off, put in, left out, changed, of chance alone, or nested without an end. */
export function changeBytes(random: Random, body: Buffer): Buffer {
  const at = random.below(body.length + 1);
  switch (random.below(7)) {
    case 0:
      return body.subarray(0, at);
    case 1:
      return Buffer.concat([body.subarray(0, at), random.bytes(1 + random.below(4)), body.subarray(at)]);
    case 2:
      return Buffer.concat([body.subarray(0, at), body.subarray(Math.min(body.length, at + 1 + random.below(8)))]);
    case 3:
      return random.bytes(random.below(64));
    case 4:
      return Buffer.concat([
        body.subarray(0, at),
        Buffer.from(random.pick(['[', '{', '"', '\\', ',', ']', '}', '\n', '\ufeff', '\0'])),
        body.subarray(at),
      ]);
    case 5:
      return Buffer.from(random.pick(['[', '{"a":', '[{"data":']).repeat(1 + random.below(400)));
    default: {
      const copy = Buffer.from(body);
      if (copy.length > 0) copy[random.below(copy.length)] = random.below(256);
      return copy;
    }
  }
}
