import { type AvroWire, openAvroWire } from '../../../services/shared/wire/avro-wire.ts';
import { registerSchemas } from '../../../services/shared/wire/register-schemas.ts';
import { type MemoryRegistry, memoryRegistry } from '../../platform/registry/support/memory-registry.ts';

/** The wire format on a registry in memory, after the release step. */
export async function openWire(): Promise<{ readonly wire: AvroWire; readonly registry: MemoryRegistry }> {
  const registry = memoryRegistry();
  await registerSchemas(registry);
  return { wire: await openAvroWire({ registry }), registry };
}

/** A value that `encode` gave, as the log gives it back. */
export function bytesOf(encoded: string | Uint8Array): Buffer {
  return Buffer.from(encoded);
}
