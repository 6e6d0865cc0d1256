import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '@tideshop/runtime/free-port'
import { provide } from '@tideshop/runtime/provide'
import { type Db, MongoClient } from 'mongodb'
import { afterAll, beforeAll } from 'vitest'

/** Fetching the server's jars the first time, and starting a JVM on a busy machine. */
const SETUP_MS = 300_000
const START_MS = 30_000
const ASK_EVERY_MS = 50

/** A database of this test file's own: of `MONGODB_URI` where it is set, else of a server started for it. */
export function testDatabase(): () => Db {
  let db: Db
  const close: (() => Promise<unknown>)[] = []
  beforeAll(async () => {
    const { uri, stop } = await serve()
    close.unshift(stop)
    const client = new MongoClient(uri, { serverSelectionTimeoutMS: START_MS })
    db = client.db(`test-${process.pid}-${Date.now()}`)
    close.unshift(
      () => db.dropDatabase(),
      () => client.close(),
    )
  }, SETUP_MS)
  afterAll(async () => {
    for (const step of close) await step()
  })
  return () => db
}

async function serve(): Promise<{ uri: string; stop: () => Promise<void> }> {
  const server = await provide('mongodb')
  if (server.kind === 'remote') return { uri: server.address, stop: async () => {} }
  const port = await freePort()
  const child = spawn(server.command, [...server.args, String(port)], { stdio: 'ignore' })
  const gone = once(child, 'exit')
  await untilOpen(port)
  return {
    uri: `mongodb://127.0.0.1:${port}`,
    async stop() {
      child.kill()
      await gone
    },
  }
}

async function untilOpen(port: number): Promise<void> {
  const deadline = performance.now() + START_MS
  const client = new MongoClient(`mongodb://127.0.0.1:${port}`, { serverSelectionTimeoutMS: 500 })
  while (performance.now() < deadline) {
    const open = await client.connect().then(
      () => true,
      () => false,
    )
    if (open) return client.close()
    await delay(ASK_EVERY_MS)
  }
  throw new Error(`the database did not open within ${START_MS} ms`)
}
