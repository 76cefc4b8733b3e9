/** The environment of a Java program: what it is found by, and nothing of ours. */
export function javaEnvironment(): Record<string, string> {
  const { PATH = '', JAVA_HOME } = process.env;
  return { PATH, LANG: 'C.UTF-8', TZ: 'UTC', ...(JAVA_HOME === undefined ? {} : { JAVA_HOME }) };
}
