import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Action, type Mutant, World } from './world.ts'

/** Schedules per run of the tests, and the most that a planted bug may need to be found. */
const SCHEDULES = 10_000
const MUTANT_SCHEDULES = 20_000

const topic = fc.nat(3)
const listener = fc.constantFrom('operations', 'users', 'approvals')
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('accept'), denied: fc.boolean(), crash: fc.boolean() }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('deliver'), topic, most: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('crash', 'stall'), listener }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wake') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replay'), topic }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lose'), arrives: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sweep') }) },
) as fc.Arbitrary<Action>

const script = fc.array(fc.tuple(action, fc.nat(6)), { minLength: 6, maxLength: 24 })

function saga(mutant: Mutant) {
  return fc.asyncProperty(fc.scheduler(), script, async (scheduler, actions) => {
    const world = new World(scheduler, mutant)
    for (const [what, steps] of actions) {
      world.do(what)
      await world.steps(steps)
    }
    await world.quiet()
    await hold(world)
  })
}

async function hold(world: World): Promise<void> {
  const operations = world.operations.all()
  const users = world.users.all()
  expect(operations.map(({ id }) => id).sort()).toEqual([...world.accepted].sort())
  // Each ended, exactly once: version 1 begins it, version 2 ends it.
  expect(operations.filter(({ version, body }) => version !== 2 || body.status === 'pending')).toEqual([])
  // By one user each, who was made and decided on exactly once.
  expect(users.map(({ body }) => body.operationId).sort()).toEqual([...world.accepted].sort())
  expect(users.filter(({ version }) => version !== 2)).toEqual([])
  for (const { body } of operations)
    expect(body.status).toBe(body.name === 'mallory' ? 'failed' : 'completed')
  expect(world.dead).toEqual([])
}

test(`in ${SCHEDULES} schedules of crashes, stalls, replays and losses every operation ends once`, {
  timeout: 240_000,
}, async () => {
  await fc.assert(saga('none'), { numRuns: SCHEDULES })
})

test.each<Mutant>(['acknowledge first', 'no version guard', 'no dedupe', 'no sweep'])(
  'a shop with a planted bug (%s) is found out',
  { timeout: 120_000 },
  async (mutant) => {
    const { failed } = await fc.check(saga(mutant), { numRuns: MUTANT_SCHEDULES, endOnFailure: true })
    expect(failed).toBe(true)
  },
)
