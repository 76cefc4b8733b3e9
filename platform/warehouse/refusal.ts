import { ClickHouseError } from '@clickhouse/client';
import { isTlsRefusal } from '../tls/refusal.ts';
import { WarehouseError } from './errors.ts';

/** ClickHouse's codes for a login or a right that is missing. */
const NOT_ALLOWED = new Set([
  '192', // UNKNOWN_USER
  '193', // WRONG_PASSWORD
  '194', // REQUIRED_PASSWORD
  '195', // IP_ADDRESS_NOT_ALLOWED
  '497', // ACCESS_DENIED
  '516', // AUTHENTICATION_FAILED
]);

/** What a fault of the client is if it is a matter of rights or of trust, which no retry mends; undefined for any other. */
export function warehouseRefusal(what: string, fault: unknown): WarehouseError | undefined {
  if (!(fault instanceof Error)) return undefined;
  const told = `${what}: ${fault.message.replace(/\s+/g, ' ').trim()}`; // OpenSSL ends its own with a line break
  if (isTlsRefusal(fault)) return new WarehouseError('warehouse_not_trusted', told, fault);
  if (!(fault instanceof ClickHouseError) || !NOT_ALLOWED.has(fault.code)) return undefined;
  return new WarehouseError('warehouse_not_allowed', told, fault);
}
