import { letterSettled, type QuarantineData } from '@tideshop/kit/dead-letter'
import type { Event } from '@tideshop/kit/event'
import { testDatabase } from '@tideshop/kit/test/database'
import { noon } from '@tideshop/kit/test/parts'
import { describe, expect, test } from 'vitest'
import { type Failures, failuresIn } from '../src/failures.ts'
import { mongoFailures } from '../src/store.ts'
import { letter } from './letters.ts'
import { memoryFailures } from './memory-failures.ts'

const database = testDatabase()

async function emptyMongo(): Promise<Failures> {
  await database().dropDatabase()
  const rows = mongoFailures(database())
  await rows.prepare()
  return failuresIn(rows)
}

function daysAgo(days: number): string {
  return new Date(noon.getTime() - days * 86_400_000).toISOString()
}

// One suite for both, so that what is tested in memory holds in the database.
describe.each([
  ['in memory', async () => failuresIn(memoryFailures())],
  ['in the database', emptyMongo],
])('failures %s', (_where, open) => {
  test('the last one comes first, also of one moment, and a page has those behind one', async () => {
    const failures = await open()
    const times = [daysAgo(1), daysAgo(3), daysAgo(1), daysAgo(2)]
    const heard = times.map((time, nth) => letter({ offset: String(nth) }, time))
    await failures.hearAll(heard, noon)
    const seen = []
    for (let page = await failures.list({ max: 3 }); page.length > 0; ) {
      seen.push(...page.map(({ offset }) => offset))
      page = await failures.list({ after: page.at(-1), max: 3 })
    }
    expect(seen).toEqual(['2', '0', '3', '1'])
  })

  test('a list does not carry what can be large', async () => {
    const failures = await open()
    await failures.hearAll([letter()], noon)
    const [listed] = await failures.list({ max: 1 })
    expect(listed).toMatchObject({ state: 'open', shown: { content: 'not json' } })
    expect(listed).not.toHaveProperty('payload')
  })

  test('a letter and its end in one batch, and both again, leave one failure', async () => {
    const failures = await open()
    const batch: Event<QuarantineData>[] = [
      letter(),
      letterSettled(letter().data, 'discarded', 'dead', noon).event,
    ]
    for (let times = 0; times < 2; times += 1) {
      const results = await failures.hearAll(batch, noon)
      expect(results.map(({ outcome }) => outcome)).toEqual(['done', 'done'])
    }
    expect((await failures.list({ max: 9 })).map(({ state }) => state)).toEqual(['discarded'])
  })

  test('what the quarantines have forgotten is forgotten here, a week later', async () => {
    const failures = await open()
    await failures.hearAll([letter({ offset: '1' }, daysAgo(36)), letter({ offset: '2' }, daysAgo(34))], noon)
    expect((await failures.list({ max: 9 })).map(({ offset }) => offset)).toEqual(['2'])
  })
})
