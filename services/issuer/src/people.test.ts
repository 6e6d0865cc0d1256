import type { OperationView } from '@tideshop/contracts/operations'
import { expect, test } from 'vitest'
import { personOf } from './people.ts'

const uuid = '0199aaaa-0000-7000-8000-00000000000a'
const userId = '0199aaaa-0000-7000-8000-00000000000b'

function operation(state: OperationView['state'], approved: 'pending' | 'true' | 'false'): OperationView {
  return {
    uuid,
    type: 'user-create',
    state,
    data: { name: 'hans', uuid: userId, approved },
    response: { state },
  }
}

test('an approved user is a customer under the id of the user', () => {
  expect(personOf(operation('completed', 'true'))).toEqual({ id: userId, name: 'hans', roles: ['customer'] })
})

test.each<[OperationView['state'], 'pending' | 'true' | 'false']>([
  ['pending', 'pending'],
  ['pending', 'true'],
  ['failed', 'false'],
  ['failed', 'true'],
  ['completed', 'false'],
])('a registration that is %s and of which approved is %s is nobody', (state, approved) => {
  expect(() => personOf(operation(state, approved))).toThrow(/registration/)
})
