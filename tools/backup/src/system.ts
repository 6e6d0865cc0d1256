import path from 'node:path'
import { topics } from '@tideshop/contracts/topics'
import { REDRIVE_GROUP } from '@tideshop/dead/letters'
import { deadLetterTopic } from '@tideshop/kit/dead-letter'
import { readDaprYaml } from '@tideshop/run/dapr-yaml'
import { type Kafka, kafkaAt } from './kafka.ts'
import { type Stores, storesAt } from './stores.ts'

/** What belongs to the shop and has to survive: whoever adds a service or a topic need not think of its backup. */
export type System = { brokers: string; kafka: Kafka; stores: Stores }

/** Tells how far it is. */
export type Report = (text: string) => void

const root = path.resolve(import.meta.dirname, '../../..')

/** Every topic with its one listener, and its dead letters with the one who puts them back. Not the probes. */
export const groups: readonly { group: string; topic: string }[] = topics.flatMap(({ name, listener }) => [
  { group: `${listener}.${name}`, topic: name },
  { group: REDRIVE_GROUP, topic: deadLetterTopic(name) },
])

export const topicNames: readonly string[] = groups.map(({ topic }) => topic)

export const deadTopicNames: ReadonlySet<string> = new Set(topics.map(({ name }) => deadLetterTopic(name)))

/** What jobs makes of the quarantines, with places that move in a restore: it hears them anew, from their beginning. */
const REMADE = { jobs: ['failures'] }

/** The database of a service has its app-id; those that keep nothing have none. */
export function openSystem(brokers: string, mongodbUri: string): System {
  const databases = readDaprYaml(root).apps.map(({ appId }) => appId)
  return { brokers, kafka: kafkaAt(brokers), stores: storesAt(mongodbUri, databases, REMADE) }
}

export async function closeSystem({ kafka, stores }: System): Promise<void> {
  await Promise.all([kafka.close(), stores.close()])
}

/** Milliseconds between two lines about the same work. */
const TELL_EVERY_MS = 2000

/** Counts what was done, and tells it from time to time. */
export type Counter = { add: (more: number) => void; done: number }

export function counter(report: Report, what: string, of: number): Counter {
  let toldAt = performance.now()
  return {
    done: 0,
    add(more) {
      this.done += more
      if (performance.now() - toldAt < TELL_EVERY_MS) return
      toldAt = performance.now()
      report(`${what}: ${this.done} of ${of}`)
    },
  }
}
