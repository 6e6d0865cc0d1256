import { expect, test } from 'vitest'
import { faultOfAccepted, faultOfEnded } from './saga-verdict.ts'

const uuid = '01890000-0000-7000-8000-000000000000'
const hans = { name: 'hans', denied: false }
const mallory = { name: 'mallory', denied: true }
const completed = {
  uuid,
  type: 'user-create',
  state: 'completed',
  data: { name: 'hans', approved: 'true' },
  response: { state: 'completed' },
}
const failed = {
  uuid,
  type: 'user-create',
  state: 'failed',
  data: { name: 'mallory', approved: 'false' },
  response: { state: 'failed', error: 'denied' },
  error: 'denied',
}

test('who is not denied completes, who is denied fails with a reason', () => {
  expect(faultOfEnded(hans, uuid, completed)).toBeNull()
  expect(faultOfEnded(mallory, uuid, failed)).toBeNull()
})

test('the wrong end, the wrong name, another operation and a missing reason are faults', () => {
  const approved = { ...completed, data: { name: 'mallory', approved: 'true' } }
  expect(faultOfEnded(mallory, uuid, approved)).toBe('it is completed, not failed')
  expect(faultOfEnded(hans, uuid, failed)).toBe('its name is mallory')
  expect(faultOfEnded(hans, 'another', completed)).toMatch(/another one was read/)
  expect(faultOfEnded(mallory, uuid, { ...failed, response: { state: 'failed' } })).toMatch(
    /different reasons/,
  )
  expect(faultOfEnded(hans, uuid, {})).not.toBeNull()
})

test('an accepted operation has a UUIDv7 and says where it can be read', () => {
  expect(faultOfAccepted(hans, completed, `/operation/get/${uuid}`)).toBeNull()
  expect(faultOfAccepted(hans, completed, '/elsewhere')).toMatch(/Location/)
  expect(faultOfAccepted(hans, { ...completed, uuid: '42' }, '/operation/get/42')).toMatch(/UUIDv7/)
})
