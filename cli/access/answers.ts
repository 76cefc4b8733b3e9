const ALIVE_MS = 5000;

/** Whether an HTTP door stands at a URL. */
export async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/livez`, { signal: AbortSignal.timeout(ALIVE_MS) });
    await answer.text();
    return answer.ok;
  } catch {
    return false;
  }
}
