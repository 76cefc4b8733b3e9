const KIB_IN_MIB = 1024;

/** Runs what a child is for, and writes how long it took and the most memory that was resident. */
export async function report(work: () => Promise<void>): Promise<void> {
  const begun = process.hrtime.bigint();
  await work();
  const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
  process.stdout.write(JSON.stringify({ seconds, rssMib: process.resourceUsage().maxRSS / KIB_IN_MIB }));
}
