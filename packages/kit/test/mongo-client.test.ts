import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { atTheDoor, connectMongo, mongoClient } from '@tideshop/kit/mongo'
import { createLog } from '@tideshop/kit/telemetry'
import type { Db } from 'mongodb'
import { describe, expect, onTestFinished, test } from 'vitest'
import { testDatabase } from './database.ts'

/** Nobody listens there. */
const AWAY = 'mongodb://127.0.0.1:9'

test('a client whose first use failed never connects again, which is why a service connects before it serves', async () => {
  const client = mongoClient(AWAY)
  onTestFinished(() => client.close())
  const names = client.db('any').collection('any')
  const nameOf = (error: Error) => error.name

  expect(await names.findOne().catch(nameOf)).toBe('MongoServerSelectionError')
  // It does not even look: when this says something else, the driver has learnt it, and the rule can go.
  expect(await names.findOne().catch(nameOf)).toBe('MongoTopologyClosedError')
})

describe('a service that starts', () => {
  const db = testDatabase()
  const quiet = createLog('test', 'silent')

  test('asks for its database until it is there', async () => {
    const cut = Promise.withResolvers<void>()
    let isThere = false
    const database = createServer((socket) => {
      if (isThere) leadTo(db(), socket)
      else cut.resolve(void socket.destroy())
    })
    onTestFinished(() => void database.close())
    await once(database.listen(0, '127.0.0.1'), 'listening')

    const connecting = connectMongo(`mongodb://127.0.0.1:${(database.address() as AddressInfo).port}`, quiet)
    await cut.promise
    isThere = true
    await (await connecting).close()
  })

  test('fails when it does not come', async () => {
    const name = await connectMongo(AWAY, quiet, 1500).catch((error: Error) => error.name)
    expect(name).toBe('MongoServerSelectionError')
  })
})

function leadTo({ client }: Db, socket: Socket): void {
  const [{ host, port } = { host: '', port: 0 }] = client.options.hosts as { host: string; port: number }[]
  const database = connect(port, host)
  socket.pipe(database).pipe(socket)
  for (const one of [socket, database]) one.on('error', () => undefined)
}

test.each([
  [false, 'unavailable'],
  [true, 'uncertain'],
])(
  'a connection that ended just before it was used is no fault of ours (written: %s)',
  async (wrote, code) => {
    const server = createServer((socket) => socket.end())
    onTestFinished(() => void server.close())
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.resume().on('error', () => undefined)
    await once(socket, 'end')
    // What Node says then is what the driver hands on, as it is.
    const written = new Promise((_, reject) => socket.write('x', reject))
    await expect(atTheDoor(written, 5000, wrote)).rejects.toMatchObject({ code })
  },
)
