import type { EngineLimits } from './engine-http.ts';

/** What the parent gives the engine's process. */
export type EngineServerConfig = {
  readonly dataDir: string;
  /** 0 for a free one. */
  readonly port: number;
  /** How long to wait for a predecessor to release the directory, ms. */
  readonly lockWaitMs: number;
  readonly limits: EngineLimits;
};

/** What parent and child say to each other. */
export type EngineMessage =
  | { readonly kind: 'ready'; readonly port: number }
  | { readonly kind: 'directory-in-use'; readonly message: string }
  | { readonly kind: 'stop' };
