/**
 * The demo, as `tollgate start` composes it:
 *
 * ```
 * const demo = await importHistory({ paths, logger, now, seed });   // before `startEmbedded`, which takes the data folder
 * const embedded = await startEmbedded({ ..., logTime: 'append' });
 * const fleet = demo ? await startFleet({ paths, url, key, log, now, logger }) : undefined;
 * const screen = startTerminal({ embedded, paths, demo, ... });      // ../terminal/terminal.ts
 * ```
 *
 * Both go in reverse when it stops: `screen.stop()`, `await fleet.stop()`, `await embedded.stop()`.
 */
export { type Fleet, type FleetOptions, startFleet } from './fleet.ts';
export { type HistoryOptions, importHistory } from './history.ts';
