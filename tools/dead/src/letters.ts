import { topics } from '@tideshop/contracts/topics'
import { type DeadLetter, deadLetterData, deadLetterTopic } from '@tideshop/kit/dead-letter'
import { z } from 'zod'
import type { Kafka, Range } from './kafka.ts'

/** Remembers, in Kafka, up to where the letters of each topic were put back or discarded. */
export const REDRIVE_GROUP = 'dead-redrive'
/** A quarantine has one partition: few letters, in order. */
export const PARTITION = 0

/** A letter, and where in the quarantine it lies. */
export type Lying = { offset: bigint; time: string; letter: DeadLetter }

const envelope = z.object({ time: z.string(), data: deadLetterData })

/** Where the letters of `topic` lie that nobody has put back or discarded yet. */
export function waiting(kafka: Kafka, topic: string): Promise<Range> {
  return kafka.open(REDRIVE_GROUP, deadLetterTopic(topic), PARTITION)
}

/** Those that wait, and those that were ticked off and are still kept. */
export function kept(kafka: Kafka, topic: string): Promise<Range> {
  return kafka.held(deadLetterTopic(topic), PARTITION)
}

export async function* letters(kafka: Kafka, topic: string, range: Range): AsyncGenerator<Lying> {
  for await (const { offset, value } of kafka.read(deadLetterTopic(topic), PARTITION, range)) {
    const { time, data } = envelope.parse(JSON.parse(value.toString('utf8')))
    yield { offset, time, letter: data }
  }
}

/** What came, byte for byte. What was too large for the letter still lies in its topic, as long as that keeps it. */
export async function payloadOf(kafka: Kafka, letter: DeadLetter): Promise<Buffer> {
  const { topic, partition, payload } = letter
  if (payload !== null) return Buffer.from(payload, 'base64')
  const offset = BigInt(letter.offset)
  const held = await kafka.held(topic, partition)
  if (offset >= held.from && offset < held.to) {
    for await (const { value } of kafka.read(topic, partition, { from: offset, to: offset + 1n }))
      return value
  }
  throw new Error(`${topic} no longer holds the record at ${partition}/${offset}`)
}

/** Ticks off every letter before `next`. */
export async function tickOff(kafka: Kafka, topic: string, next: bigint): Promise<void> {
  await kafka.commit(REDRIVE_GROUP, { topic: deadLetterTopic(topic), partition: PARTITION, offset: next })
}

/** Throws with the names that there are. */
export function knownTopic(name: string): string {
  if (topics.some((topic) => topic.name === name)) return name
  throw new Error(`there is no topic ${name}: choose one of ${topics.map((topic) => topic.name).join(', ')}`)
}

export function allTopics(): string[] {
  return topics.map(({ name }) => name)
}
