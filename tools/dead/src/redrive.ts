import type { DeadLetter } from '@tideshop/kit/dead-letter'
import { deadLetterTopic } from '@tideshop/kit/dead-letter'
import type { Kafka } from './kafka.ts'
import { PARTITION, REDRIVE_GROUP, waitingLetters } from './letters.ts'

/**
 * Puts every waiting letter of `topic` back where it came from: same bytes, same key, same partition. A letter is
 * ticked off after it was put back, so a crash in between puts it back twice, which the services are made for.
 * A letter that is still poison comes to the quarantine again, behind those that were there. Returns how many.
 */
export async function redrive(
  kafka: Kafka,
  topic: string,
  progress: (done: number, of: number) => void,
): Promise<number> {
  const waiting = await waitingLetters(kafka, topic)
  for (const [index, { offset, letter }] of waiting.entries()) {
    await kafka.put({
      topic,
      partition: letter.partition,
      key: letter.key,
      value: await payloadOf(kafka, letter),
    })
    await kafka.commit(REDRIVE_GROUP, {
      topic: deadLetterTopic(topic),
      partition: PARTITION,
      offset: offset + 1n,
    })
    progress(index + 1, waiting.length)
  }
  return waiting.length
}

/** What was too large for the letter still lies in its topic, as long as that keeps it. */
async function payloadOf(kafka: Kafka, { topic, partition, offset, payload }: DeadLetter): Promise<Buffer> {
  if (payload !== null) return Buffer.from(payload, 'base64')
  const place = { topic, partition, offset: BigInt(offset) }
  const [record] = await kafka.read(place, place.offset + 1n)
  if (record === undefined) throw new Error(`${topic} no longer holds the record at ${partition}/${offset}`)
  return record.value
}
