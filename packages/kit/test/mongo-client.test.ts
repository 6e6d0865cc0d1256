import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { atTheDoor, mongoClient } from '@tideshop/kit/mongo'
import { expect, onTestFinished, test } from 'vitest'

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
