import { randomBytes, randomUUID } from 'node:crypto'
import { Admin, Consumer, Producer } from '@platformatic/kafka'
import { BrokenRun } from './broken-run.ts'
import { between, readUsage } from './processes.ts'
import type { Scene } from './scene.ts'

/**
 * The yardstick: records of the same size, produced and consumed by one process and nothing else, on the same broker in
 * the same run. A guard in CI can hold on to how much dearer the saga is than this loop, where it could not hold on to a
 * number of seconds. How steady that ratio is has to be measured before anything relies on it (README.md).
 */
export type BareLoop = {
  records: number
  bytesPerRecord: number
  tookMs: number
  /** Of this process and the broker: no other has a part in it. */
  cpuSeconds: number
  perCpuSecond: number
}

/** Records before the clock starts: this process has not consumed anything yet, and would compile while it is timed. */
const WARM_UP = 20_000
const SEND_MAX = 1000
/** Sends on their way at once. */
const SENDS_OPEN_MAX = 4
const STALLED_MS = 15_000

/** `bytes` as they lie in the log, key and frame included. */
export async function runBareLoop(scene: Scene, records: number, bytes: number): Promise<BareLoop> {
  await loopOnce(scene, WARM_UP, bytes)
  return loopOnce(scene, records, bytes)
}

async function loopOnce(scene: Scene, records: number, bytes: number): Promise<BareLoop> {
  const at = { clientId: 'bench-loop', bootstrapBrokers: scene.shop.kafkaBrokers.split(','), retries: 3 }
  const topic = `bench-loop-${randomUUID()}`
  const admin = new Admin(at)
  const consumer = new Consumer({ ...at, groupId: topic })
  const producer = new Producer(at)
  try {
    await admin.createTopics({ topics: [topic], partitions: scene.partitions, replicas: -1 })
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false })
    const before = readUsage(scene.members).cpuSeconds
    const startedAt = performance.now()
    await Promise.all([
      produceAll(producer, topic, records, bytes, scene.stop),
      consumeAll(stream, records, scene.stop),
    ])
    const tookMs = performance.now() - startedAt
    const { broker, load } = between(before, readUsage(scene.members).cpuSeconds)
    await stream.close()
    const cpuSeconds = broker + load
    return { records, bytesPerRecord: bytes, tookMs, cpuSeconds, perCpuSecond: records / cpuSeconds }
  } finally {
    await Promise.all([consumer.close(true), producer.close()])
    await admin.deleteTopics({ topics: [topic] }).catch(() => undefined)
    await admin.close()
  }
}

/** A key as the saga has it, and what a record costs beside key and value. */
const KEY_BYTES = 36
const FRAME_BYTES = 12

async function produceAll(
  producer: Producer,
  topic: string,
  records: number,
  bytes: number,
  stop: AbortSignal,
): Promise<void> {
  const value = randomBytes(Math.max(1, Math.round(bytes) - KEY_BYTES - FRAME_BYTES))
  const open = new Set<Promise<unknown>>()
  for (let sent = 0; sent < records; sent += SEND_MAX) {
    stop.throwIfAborted()
    const messages = Array.from({ length: Math.min(SEND_MAX, records - sent) }, () => ({
      topic,
      key: Buffer.from(randomUUID()),
      value,
    }))
    const sending = producer.send({ messages, acks: -1 }).finally(() => open.delete(sending))
    open.add(sending)
    if (open.size >= SENDS_OPEN_MAX) await Promise.race(open)
  }
  await Promise.all(open)
}

type Records = AsyncIterable<unknown> & { destroy: (error: Error) => unknown }

async function consumeAll(stream: Records, records: number, stop: AbortSignal): Promise<void> {
  const giveUp = (why: string) => stream.destroy(new BrokenRun(why))
  const stalled = setTimeout(() => giveUp('the bare loop stood still'), STALLED_MS)
  const stopped = () => giveUp('stopped')
  stop.addEventListener('abort', stopped)
  try {
    let open = records
    for await (const _ of stream) {
      stalled.refresh()
      open -= 1
      if (open === 0) break
    }
  } finally {
    clearTimeout(stalled)
    stop.removeEventListener('abort', stopped)
  }
}
