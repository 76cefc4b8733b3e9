/** A process that is to run: how it is started, where it is reached, and how one knows that it takes requests. */
export interface PlannedProcess {
  /** Unique in its plan; names its log file too. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** What its clients are given: `http://127.0.0.1:PORT`, `redis://127.0.0.1:PORT`, or Kafka's `127.0.0.1:PORT`. */
  readonly url: string;
  readonly readiness: Readiness;
  /** Whether it is started again when it dies. */
  readonly restart: boolean;
  /** How long it may take to end by SIGTERM before SIGKILL, ms. */
  readonly stopMs: number;
}

/** A port of 127.0.0.1 that takes connections (and answers what is asked, if anything), or a URL that answers 2xx. */
export type Readiness =
  | { readonly kind: 'tcp'; readonly port: number; readonly ask?: { readonly send: string; readonly expect: string } }
  | { readonly kind: 'http'; readonly url: string };

/**
 * What is started, stage by stage: the processes of a stage start together, and the next stage once all of them are ready.
 * They are stopped in reverse.
 */
export type Plan = readonly (readonly PlannedProcess[])[];
