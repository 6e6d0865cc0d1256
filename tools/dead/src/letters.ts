import { topics } from '@tideshop/contracts/topics'
import { type DeadLetter, deadLetterData, deadLetterTopic } from '@tideshop/kit/dead-letter'
import { z } from 'zod'
import type { Kafka } from './kafka.ts'

/** Remembers, in Kafka, up to where the letters of each topic were put back. */
export const REDRIVE_GROUP = 'dead-redrive'
/** A quarantine has one partition: few letters, in order. */
export const PARTITION = 0

/** A letter that waits, and where in the quarantine it lies. */
export type Waiting = { offset: bigint; time: string; letter: DeadLetter }

const envelope = z.object({ time: z.string(), data: deadLetterData })

/** The letters of `topic` that nobody has put back yet. */
export async function waitingLetters(kafka: Kafka, topic: string): Promise<Waiting[]> {
  const quarantine = deadLetterTopic(topic)
  const { from, to } = await kafka.open(REDRIVE_GROUP, quarantine, PARTITION)
  const records = await kafka.read({ topic: quarantine, partition: PARTITION, offset: from }, to)
  return records.map(({ offset, value }) => {
    const { time, data } = envelope.parse(JSON.parse(value.toString('utf8')))
    return { offset, time, letter: data }
  })
}

/** Throws with the names that there are. */
export function knownTopic(name: string): string {
  if (topics.some((topic) => topic.name === name)) return name
  throw new Error(`there is no topic ${name}: choose one of ${topics.map((topic) => topic.name).join(', ')}`)
}

export function allTopics(): string[] {
  return topics.map(({ name }) => name)
}
