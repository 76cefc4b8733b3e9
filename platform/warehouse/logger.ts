/** The part of a logger that the warehouse uses; pino's loggers fit. */
export type WarehouseLogger = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};
