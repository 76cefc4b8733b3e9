/**
 * The demo and the table, as `tollgate start` composes them:
 *
 * ```
 * const show = openShow({ paths: instancePaths(data), demo: demo && logTime === 'append', output: stdout, now });
 * const logger = pino(options, show.destination ?? pino.destination(2)); // on a terminal lines go above the table
 * await show.prepare(logger, signal);                                    // before the pipeline: a month of history
 * const embedded = await startEmbedded({ ... });
 * releases.add(() => embedded.stop());
 * releases.add(show.begin(embedded, logger));                            // after `ready`: the fleet and the table
 * ```
 */
export { openShow } from './show.ts';
