import { setTimeout as delay } from 'node:timers/promises'

const ASK_EVERY_MS = 100

/** Asks until the answer is yes; after the bound it throws, naming what did not come. */
export async function until(
  what: string,
  withinMs: number,
  ask: () => Promise<boolean>,
  signal?: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${withinMs / 1000} s`)
    await delay(ASK_EVERY_MS, undefined, { signal })
  }
}
