import { type Footer, type Line, writeBackup } from './file.ts'
import { count, type Log, type Progress } from './kafka.ts'
import { counter, groups, type Report, type System, topicNames } from './system.ts'

/**
 * Takes a copy of all that the shop knows: documents, records, and how far each listener is.
 *
 * It is meant for a quiet shop, and says whether it was. On a busy one nothing stands still for us, so the order is
 * chosen such that whatever happens meanwhile is done again after a restore and never forgotten: first how far each
 * group is, then the documents, and last the records, up to the end that the logs have by then.
 *
 * - A message is acknowledged after its effect is written. What was acknowledged when we began is in the documents;
 *   everything else is in the records behind the group's place and is delivered again. That is harmless: effects are
 *   keyed by id and guarded by version, so a repeat changes nothing and tells the same (kit/inbox.ts).
 * - A door writes what it has to tell into the document before it tells it. So a document that we copied either still
 *   carries its event, and the sweep tells it again, or the event stands in a log that we read later.
 *
 * With the records first, an operation that was accepted and told between the two copies would be in the documents,
 * pending, and its event in no log: it would wait for ever. With the places last, a message could count as
 * acknowledged whose effect is in no document.
 *
 * What cannot be promised for a busy shop: an operation that was accepted after its store was copied is not in it,
 * though its event may be. Its user is then made, and the answer that finds no operation becomes a dead letter; so
 * may a verdict that overtakes what it is about and is then given again.
 */
export async function backup(system: System, file: string, report: Report): Promise<Footer> {
  const [databases, logs] = await Promise.all([system.stores.counts(), system.kafka.logs(topicNames)])
  const topics = Object.fromEntries(
    logs.map((log) => [log.topic, { partitions: log.to.length, records: count(log) }]),
  )
  const documents = Object.values(databases).flatMap((collections) => Object.values(collections))
  const header = { time: new Date().toISOString(), databases, topics }
  return await writeBackup(file, { header, lines: everything(system, sum(documents), report) })
}

async function* everything(system: System, documents: number, report: Report): AsyncGenerator<Line, Footer> {
  const { kafka, stores } = system
  const before = await kafka.progress(groups)
  const logsBefore = await kafka.logs(topicNames)
  for (const { group, topic, next } of before) {
    yield {
      kind: 'progress',
      group,
      topic,
      next: next.map((offset) => (offset === null ? null : String(offset))),
    }
  }

  const copied = counter(report, 'documents', documents)
  for await (const document of stores.read()) {
    yield document
    copied.add(1)
  }
  report(`${copied.done} documents`)

  const logs = await kafka.logs(topicNames)
  for (const { topic, from, to } of logs) {
    yield { kind: 'log', topic, from: from.map(String), to: to.map(String) }
  }
  const read = counter(report, 'records', sum(logs.map(count)))
  for await (const record of kafka.read(logs)) {
    yield record
    read.add(1)
  }
  report(`${read.done} records`)

  const after = { progress: await kafka.progress(groups), logs: await kafka.logs(topicNames) }
  const quiet = same({ progress: before, logs: logsBefore }, after)
  return { kind: 'end', documents: copied.done, records: read.done, quiet }
}

type Moment = { progress: Progress[]; logs: Log[] }

/** Nothing was said and nothing acknowledged. A write that says nothing is not seen; the shop has none. */
function same(before: Moment, after: Moment): boolean {
  const text = ({ progress, logs }: Moment) =>
    JSON.stringify([progress, logs.map(({ to }) => to)], (_, value) =>
      typeof value === 'bigint' ? String(value) : value,
    )
  return text(before) === text(after)
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
