/** Where it is told of single events, with ids to follow one through all services: a logger, at level `debug`. */
export interface Trail {
  isLevelEnabled(level: 'debug'): boolean;
  debug(fields: object, message: string): void;
}

/** The trail if anybody listens; undefined, so that nothing is made up that nobody reads. */
export function heard(trail: Trail | undefined): Trail | undefined {
  return trail?.isLevelEnabled('debug') === true ? trail : undefined;
}
