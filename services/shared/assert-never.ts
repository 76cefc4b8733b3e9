/** Closes an exhaustive `switch`: the compiler refuses a case that was forgotten, and a value from outside throws. */
export function assertNever(value: never): never {
  throw new Error(`unreachable case: ${JSON.stringify(value)}`);
}
