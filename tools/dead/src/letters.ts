import { topics } from '@tideshop/contracts/topics'
import {
  type Becomes,
  type DeadLetter,
  deadLetterTopic,
  deadPlace,
  letterSettled,
  quarantineData,
} from '@tideshop/kit/dead-letter'
import { z } from 'zod'
import type { Kafka, Range } from './kafka.ts'

/**
 * Remembers, in Kafka, up to where all letters of each topic are settled: where to begin to look for open ones. That a single one is
 * settled stands behind it in the quarantine itself, whether it was done here or at the shop's door (services/jobs).
 */
export const REDRIVE_GROUP = 'dead-redrive'
/** A quarantine has one partition: few letters, in order. */
export const PARTITION = 0

/** A letter, and where in the quarantine it lies. */
export type Lying = { offset: bigint; time: string; letter: DeadLetter }

/** Who says here that a letter is settled. */
const SOURCE = 'dead'

const envelope = z.object({ time: z.string(), data: quarantineData })

/** Behind what is settled altogether. */
export function waiting(kafka: Kafka, topic: string): Promise<Range> {
  return kafka.open(REDRIVE_GROUP, deadLetterTopic(topic), PARTITION)
}

/** Those that wait, and those that were ticked off and are still kept. */
export function kept(kafka: Kafka, topic: string): Promise<Range> {
  return kafka.held(deadLetterTopic(topic), PARTITION)
}

/** The records in `range` of which there is a letter that nobody has put back or discarded. By their places, which fit the memory. */
export async function openPlaces(kafka: Kafka, topic: string, range: Range): Promise<Set<string>> {
  const open = new Set<string>()
  const settled = new Set<string>()
  for await (const { data } of records(kafka, topic, range)) {
    const place = deadPlace(data)
    if ('became' in data) settled.add(place)
    else open.add(place)
  }
  return new Set([...open].filter((place) => !settled.has(place)))
}

/** One letter for each of these records, the oldest. */
export async function* lettersAbout(
  kafka: Kafka,
  topic: string,
  range: Range,
  places: ReadonlySet<string>,
): AsyncGenerator<Lying> {
  const left = new Set(places)
  for await (const { offset, time, data } of records(kafka, topic, range)) {
    if (!('became' in data) && left.delete(deadPlace(data))) yield { offset, time, letter: data }
  }
}

/** Letters, and what became of them. */
export async function* records(kafka: Kafka, topic: string, range: Range) {
  for await (const { offset, value } of kafka.read(deadLetterTopic(topic), PARTITION, range)) {
    yield { offset, ...envelope.parse(JSON.parse(value.toString('utf8'))) }
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

/** Says what became of one letter, to everybody who reads the quarantine. */
export async function settle(kafka: Kafka, letter: DeadLetter, became: Becomes): Promise<void> {
  const { topic, event } = letterSettled(letter, became, SOURCE, new Date())
  const value = Buffer.from(JSON.stringify(event))
  await kafka.put({ topic, partition: PARTITION, key: event.subject, value })
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
