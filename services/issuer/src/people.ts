import type { OperationView } from '@tideshop/contracts/operations'
import { Refusal } from '@tideshop/kit/refusal'

export type Person = { id: string; name: string; roles: readonly string[] }

/** The staff of a shop on a laptop. They need no password, which is one reason why this issuer is for development only. */
export const staff: ReadonlyMap<string, Person> = new Map([
  ['administrator', { id: 'administrator', name: 'Administrator', roles: ['admin'] }],
  ['support', { id: 'support', name: 'Support', roles: ['support'] }],
])

/**
 * Whoever asked the shop for a user, and was approved. What proves it is the id of the operation, which was told to nobody
 * else and which nobody can guess; names are not unique, and the id of a user stands in many a log.
 */
export function personOf({ state, data, error }: OperationView): Person {
  if (state === 'pending')
    throw new Refusal('forbidden', 'the registration is still being looked at: try again')
  if (state === 'failed' || data.approved !== 'true' || data.uuid === undefined)
    throw new Refusal('forbidden', `the registration was not approved${error ? `: ${error}` : ''}`)
  return { id: data.uuid, name: data.name, roles: ['customer'] }
}
