import type { DoorConfig } from './config.ts';
import type { DoorDeps } from './context.ts';
import { createDoor } from './door.ts';

/** A door that listens. */
export interface RunningDoor {
  /** `http://127.0.0.1:8080`, with the port it really has. */
  readonly url: string;
  /**
   * Turns new requests away, finishes those under way within `stopGraceMs`, cuts the rest off, and resolves once the port is
   * free. What was cut off was not answered, so its client sends it again.
   */
  stop(): Promise<void>;
}

/** Starts the HTTP door. @throws Error if the port is taken, or may not be used */
export async function startDoor(deps: DoorDeps, config: DoorConfig): Promise<RunningDoor> {
  const door = createDoor(deps, config);
  const url = await door.listen({ host: config.host, port: config.port });
  return {
    url,
    stop: async () => {
      const cut = setTimeout(() => door.server.closeAllConnections(), config.stopGraceMs);
      try {
        await door.close();
      } finally {
        clearTimeout(cut);
      }
    },
  };
}
