import { createInterface } from 'node:readline/promises'
import type { Kafka } from './kafka.ts'
import { lettersAbout, openPlaces, settle, tickOff, waiting } from './letters.ts'

/**
 * Ticks off every waiting letter of `topic` without putting it back. A log cannot lose a record from its middle, so
 * they stay in the quarantine until its retention takes them, and `show` still finds them there. Returns how many;
 * `confirm` is asked once, with their number, when there are any. A letter that comes meanwhile was not seen by
 * anybody, and waits.
 */
export async function discard(
  kafka: Kafka,
  topic: string,
  confirm: (count: number) => Promise<boolean>,
): Promise<number> {
  const range = await waiting(kafka, topic)
  const open = await openPlaces(kafka, topic, range)
  if (open.size === 0 || !(await confirm(open.size))) return 0
  for await (const { letter } of lettersAbout(kafka, topic, range, open)) {
    await settle(kafka, letter, 'discarded')
  }
  await tickOff(kafka, topic, range.to)
  return open.size
}

/** Whoever sits at a terminal is asked. A script cannot answer and has to have said yes before. */
export async function askFirst(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Error(`${question} Nobody is here to answer: --yes says so beforehand`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}
