/** The part of a logger that the connection to Redis uses; pino's loggers fit. */
export type RedisLogger = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
};
