import type { Kafka } from './kafka.ts'
import { lettersAbout, openPlaces, payloadOf, settle, tickOff, waiting } from './letters.ts'

/**
 * Puts every waiting letter of `topic` back where it came from: same bytes, same key, same partition. A letter is
 * settled and ticked off after it was put back, so a crash in between puts it back twice, which the services are made for.
 * A letter that is still poison comes to the quarantine again, behind those that were there. Returns how many.
 */
export async function redrive(
  kafka: Kafka,
  topic: string,
  progress: (done: number, of: number) => void,
): Promise<number> {
  const range = await waiting(kafka, topic)
  const open = await openPlaces(kafka, topic, range)
  let done = 0
  for await (const { offset, letter } of lettersAbout(kafka, topic, range, open)) {
    const { partition, key } = letter
    await kafka.put({ topic, partition, key, value: await payloadOf(kafka, letter) })
    await settle(kafka, letter, 'redriven')
    await tickOff(kafka, topic, offset + 1n)
    done += 1
    progress(done, open.size)
  }
  // Behind the last one that was open others may lie that are settled.
  if (range.from < range.to) await tickOff(kafka, topic, range.to)
  return done
}
