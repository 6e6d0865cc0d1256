import { expect, test } from 'vitest'
import type { Kind } from '../checks/finding.ts'
import { bugNamed } from './bugs.ts'
import { isAsItShould, tellTrials } from './table.ts'
import type { Trial } from './trials.ts'

const noSweep = bugNamed('no sweep')

function trial(bug: Trial['bug'], kinds: readonly Kind[], quiet = true): Trial {
  const path = { asked: [], operations: [], users: [], records: [] }
  const violations = kinds.map((kind) => ({ kind, what: `something ${kind}`, path }))
  const outcome = { quiet, recoveries: [], faults: [], verdict: { violations } }
  return { bug, outcome: outcome as unknown as Trial['outcome'], seconds: 7 }
}

test('a bug is caught when the ledger calls it what it is, and by nothing else', () => {
  expect(isAsItShould(trial(noSweep, ['dead', 'untold'], false))).toBe(true)
  expect(isAsItShould(trial(noSweep, ['dead'], false))).toBe(false)
  // That it never becomes quiet is no finding: a slow machine would catch every bug.
  expect(isAsItShould(trial(noSweep, [], false))).toBe(false)
})

test('the shop without a bug has to be sound and come to rest', () => {
  expect(isAsItShould(trial(null, []))).toBe(true)
  expect(isAsItShould(trial(null, [], false))).toBe(false)
  expect(isAsItShould(trial(null, ['gap']))).toBe(false)
})

test('the table says what was found, and first what the bug is called for', () => {
  const [, control, bug] = tellTrials([trial(null, []), trial(noSweep, ['dead', 'untold', 'dead'])]).split(
    '\n',
  )
  expect(control).toContain('nothing, as it should')
  expect(bug).toMatch(/^✔ {2}no sweep {2}dead 2 · untold 1 .*7 s, 0 kills {2}something untold$/)
})
