/** What can go wrong with the servers of the stack: code, meaning, remedy. Nothing else is thrown from this folder. */
export const STACK_ERRORS = {
  stack_requirement_missing: {
    meaning: 'a program that the stack runs on is missing',
    remedy: 'install it and run the command again',
  },
  stack_jars_unavailable: {
    meaning: 'Maven could not fetch the jars of Kafka and of the schema registry',
    remedy: "read its message above; with network access, or a mirror in Maven's settings.xml, run it again",
  },
  stack_prepare_failed: {
    meaning: 'the folder of a server could not be prepared',
    remedy: "read the message: it has what the server's own tool said",
  },
  stack_port_in_use: {
    meaning: 'a port of the stack is taken by another program',
    remedy: 'stop that program, or give another port',
  },
  stack_start_failed: {
    meaning: 'a server of the stack did not come up',
    remedy: 'read the message: it has the last lines of its log; nothing that was stored is lost by another try',
  },
  stack_not_stopped: {
    meaning: 'a process of the stack did not end, not even by SIGKILL',
    remedy: 'it hangs in the kernel, as a rule on a disk: look at the disk, then run `down` again',
  },
  stack_busy: {
    meaning: 'another command starts or stops what is in this folder',
    remedy: 'wait for it to end, then run the command again',
  },
  stack_running_otherwise: {
    meaning: 'it runs already, but not as it was asked for now',
    remedy: 'leave the difference out, or run `down` first',
  },
  stack_folder_invalid: {
    meaning: 'what the folder of the stack says of itself cannot be read',
    remedy: 'give another folder, or delete the file that the message names once nothing of the stack runs',
  },
} as const;

export type StackErrorCode = keyof typeof STACK_ERRORS;

/** An error of the stack; `code` is one of STACK_ERRORS, the message names what and where. */
export class StackError extends Error {
  readonly code: StackErrorCode;
  readonly detail: string;

  constructor(code: StackErrorCode, detail: string, cause?: unknown) {
    const { meaning, remedy } = STACK_ERRORS[code];
    super(`${code}: ${meaning}: ${detail} (${remedy})`, cause === undefined ? undefined : { cause });
    this.name = 'StackError';
    this.code = code;
    this.detail = detail;
  }
}
