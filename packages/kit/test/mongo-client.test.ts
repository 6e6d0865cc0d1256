import { mongoClient } from '@tideshop/kit/mongo'
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
