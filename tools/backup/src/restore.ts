import { ensureTopics } from '@tideshop/run/topics'
import { type Footer, type Header, type Line, type LineOf, readBackup } from './file.ts'
import { count, type Log } from './kafka.ts'
import { type Places, placesIn } from './places.ts'
import { type Counter, counter, groups, type Report, type System, topicNames } from './system.ts'

/**
 * Puts a backup into an empty system whose services are stopped. Nothing is touched before the whole file was read
 * and found to be what was written, and before the system was found to be empty.
 *
 * Documents first, then records, each to the partition it came from and in the order it had there, and last how far
 * each group is, so that what was acknowledged is not worked on again. A log that had lost its beginning to its
 * retention begins here anew, so every offset is translated by its distance from the log's first; also the one
 * inside a dead letter, which says where the record lies.
 *
 * A restore that is cut off leaves a system that is neither empty nor whole, and is refused the next time: empty it
 * and begin again.
 */

/** Lines written at once, and their characters; at least one, however long. A partition takes 1 MiB at once. */
const BATCH_MAX = 500
const BATCH_CHARACTERS_MAX = 700_000

export async function restore(system: System, file: string, report: Report): Promise<Footer> {
  const header = await verify(file)
  report(`${file} is whole; taken ${header.time}`)
  demandKnown(header, file)
  await ensureTopics(system.brokers)
  const logs = await system.kafka.logs(topicNames)
  demandFitting(header, logs)
  await demandEmpty(system, logs)

  const { lines } = await readBackup(file)
  try {
    return await fill(system, placesIn(logs), lines, counter(report, 'documents and records', sizeOf(header)))
  } catch (error) {
    const { message } = error as Error
    throw new Error(`${message}\nThe restore is not whole: empty the system and begin again`, {
      cause: error,
    })
  }
}

/** Reads all of it. */
async function verify(file: string): Promise<Header> {
  const { header, lines } = await readBackup(file)
  while (!(await lines.next()).done);
  return header
}

function demandKnown({ topics }: Header, file: string): void {
  const unknown = Object.keys(topics).filter((topic) => !topicNames.includes(topic))
  if (unknown.length > 0)
    throw new Error(`${file} holds ${unknown.join(', ')}, which this shop does not know`)
}

/** With other partitions, what comes next about a thing could overtake what was restored about it. */
function demandFitting({ topics }: Header, logs: readonly Log[]): void {
  for (const { topic, to } of logs) {
    const partitions = topics[topic]?.partitions ?? to.length
    if (partitions === to.length) continue
    throw new Error(`the topic ${topic} has ${to.length} partitions here and had ${partitions} in the backup`)
  }
}

async function demandEmpty({ stores, kafka }: System, logs: readonly Log[]): Promise<void> {
  for (const [database, collections] of Object.entries(await stores.counts())) {
    for (const [collection, documents] of Object.entries(collections)) {
      if (documents > 0) throw notEmpty(`the store ${database}.${collection} holds ${documents} documents`)
    }
  }
  for (const log of logs) {
    if (count(log) > 0) throw notEmpty(`the topic ${log.topic} holds ${count(log)} records`)
  }
  const listening = await kafka.listening(groups.map(({ group }) => group))
  if (listening.length > 0) {
    throw new Error(
      `services run and listen (${listening.join(', ')}): stop them first, half of it is nothing to work on`,
    )
  }
}

function notEmpty(what: string): Error {
  return new Error(`${what}: a backup is only restored into an empty system`)
}

function sizeOf({ databases, topics }: Header): number {
  const documents = Object.values(databases).flatMap((collections) => Object.values(collections))
  const records = Object.values(topics).map((topic) => topic.records)
  return [...documents, ...records].reduce((total, number) => total + number, 0)
}

async function fill(
  { kafka, stores }: System,
  places: Places,
  lines: AsyncGenerator<Line, Footer>,
  done: Counter,
): Promise<Footer> {
  const footer = await inBatches(lines, async (batch) => {
    if (batch.kind === 'document') await stores.write(batch.lines)
    else if (batch.kind === 'record') await kafka.send(places.moved(batch.lines, new Date()))
    else return places.learn(batch.lines)
    done.add(batch.lines.length)
  })
  demandArrived(places.ends(), await kafka.logs(topicNames))
  for (const progress of places.progress()) await kafka.acknowledge(progress)
  return footer
}

type BatchOf<K extends Line['kind']> = { kind: K; lines: LineOf<K>[] }
type Batch =
  | BatchOf<'document'>
  | BatchOf<'record'>
  | { kind: 'log' | 'progress'; lines: LineOf<'log' | 'progress'>[] }

/** Neighbours of one kind, and of one collection, in one go. */
async function inBatches(
  lines: AsyncGenerator<Line, Footer>,
  write: (batch: Batch) => Promise<void>,
): Promise<Footer> {
  let batch: Line[] = []
  let characters = 0
  const flush = async () => {
    if (batch[0]) await write({ kind: batch[0].kind, lines: batch } as Batch)
    batch = []
    characters = 0
  }
  for (;;) {
    const { done, value } = await lines.next()
    if (done) {
      await flush()
      return value
    }
    const size = sizeInFile(value)
    const full = batch.length === BATCH_MAX || characters + size > BATCH_CHARACTERS_MAX
    if (full || (batch[0] && targetOf(batch[0]) !== targetOf(value))) await flush()
    batch.push(value)
    characters += size
  }
}

function targetOf(line: Line): string {
  return line.kind === 'document' ? `document ${line.database}.${line.collection}` : line.kind
}

function sizeInFile(line: Line): number {
  if (line.kind === 'document') return line.document.length
  if (line.kind === 'record') return JSON.stringify(line).length
  return 0
}

/** In a log that has one record more or less than it should, every place would be another. */
function demandArrived(expected: readonly Log[], found: readonly Log[]): void {
  for (const { topic, to } of expected) {
    const here = found.find((log) => log.topic === topic)
    if (String(here?.to) === String(to)) continue
    throw new Error(`${topic} ends at ${here?.to} and should end at ${to}: somebody else writes to it`)
  }
}
