import { z } from 'zod';
import { LOG_TIMES } from '../../platform/log/port.ts';
import { isId } from '../shared/contracts/parse-event.ts';
import { parseInstant } from '../shared/time.ts';
import { ROLES } from './core/permissions.ts';
import type { KeyEntry } from './keys.ts';

const MIB = 1024 * 1024;

const bound = (least: number, most: number, standard: number) =>
  z.number().int().min(least).max(most).default(standard);

/** Every bound of the HTTP door, with its unit in its name. All have defaults: `doorConfig.parse({})` is a whole config. */
export const doorConfig = z
  .strictObject({
    host: z.string().min(1).default('127.0.0.1'),
    /** 0: any free one. */
    port: bound(0, 65_535, 8080),
    /** Whose time an event has: the log's append time, or its own (imports and tests). */
    logTime: z.enum(LOG_TIMES).default('append'),
    /** As it comes over the wire. */
    bodyBytesMax: bound(1024, 256 * MIB, 5 * MIB),
    /** What gzip may make of it. */
    inflatedBytesMax: bound(1024, 1024 * MIB, 32 * MIB),
    /** Of all requests that are being worked on together. */
    inFlightBytesMax: bound(1024, 16_384 * MIB, 128 * MIB),
    batchEventsMax: bound(1, 100_000, 10_000),
    recordCharsMax: bound(1024, MIB, 256 * 1024),
    jsonDepthMax: bound(8, 256, 16),
    jsonValuesMax: bound(100, 10_000_000, 1_000_000),
    requestsPerKeyMax: bound(1, 1_000_000, 500),
    rateWindowMs: bound(100, 3_600_000, 1000),
    /** A socket on which nothing moves, in either direction. */
    connectionTimeoutMs: bound(100, 600_000, 90_000),
    /** From a request's first byte to its last. */
    requestTimeoutMs: bound(100, 600_000, 60_000),
    headersTimeoutMs: bound(100, 600_000, 10_000),
    keepAliveTimeoutMs: bound(100, 600_000, 75_000),
    connectionsMax: bound(1, 100_000, 2000),
    /** The longest `?wait=applied`, and what it is without `timeout_ms`. */
    waitMsMax: bound(1, 600_000, 60_000),
    waitMs: bound(1, 600_000, 10_000),
    waitersMax: bound(1, 100_000, 1000),
    /** So long requests may still take when the door stops; then their connections are cut. */
    stopGraceMs: bound(0, 600_000, 15_000),
    /** The mean delay of the event loop, over a second or this long if that is more, at which requests are turned away. */
    eventLoopDelayMsMax: bound(10, 600_000, 3000),
  })
  .refine((config) => config.waitMs <= config.waitMsMax, {
    message: 'waitMs must not be above waitMsMax',
    path: ['waitMs'],
  })
  .refine((config) => config.waitMsMax < config.connectionTimeoutMs, {
    message: 'waitMsMax must be below connectionTimeoutMs, or who waits is cut off',
    path: ['waitMsMax'],
  })
  .readonly();

export type DoorConfig = z.infer<typeof doorConfig>;

const accountId = z.string().refine(isId, { message: 'must match [A-Za-z0-9._:-]{1,128}' });

/** A list of keys as a file holds it: `[{"id", "role", "accounts": "all" | [...], "sha256", "expires_at"?}]`. */
export const keyEntries = z.array(
  z
    .strictObject({
      id: z.string().regex(/^[a-z0-9-]{1,64}$/),
      role: z.enum(ROLES),
      accounts: z.union([z.literal('all'), z.array(accountId).max(100_000)]),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      expires_at: z
        .unknown()
        .transform((value, context) => {
          const at = value === undefined ? undefined : parseInstant(value);
          if (value !== undefined && at === undefined)
            context.addIssue({ code: 'custom', message: 'must be RFC 3339' });
          return at;
        })
        .optional(),
    })
    .transform(
      (key): KeyEntry => ({
        id: key.id,
        role: key.role,
        accounts: key.accounts,
        sha256: key.sha256,
        expiresAt: key.expires_at,
      }),
    ),
);
