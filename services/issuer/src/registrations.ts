import { operationId, operationView } from '@tideshop/contracts/operations'
import { parse, Refusal } from '@tideshop/kit/refusal'
import { type Person, personOf } from './people.ts'

/** Milliseconds for the door, with the sleepers behind it. */
const ASK_TIMEOUT_MS = 15_000

/** Who is registered under the id of an operation. Throws a `Refusal` for whoever is not, or not yet. */
export type Registrations = (id: string) => Promise<Person>

/** Asks the shop as any caller does, through its door. So it works wherever the door can be reached, without a sidecar. */
export function registrationsAt(shopUrl: string): Registrations {
  return async (id) => {
    const known = parse(operationId, id, 'registration')
    const response = await fetch(new URL(`/operation/get/${known}`, shopUrl), {
      signal: AbortSignal.timeout(ASK_TIMEOUT_MS),
    }).catch(() => null)
    if (response?.status === 404) throw new Refusal('forbidden', 'nobody is registered under this number')
    if (response?.status !== 200) throw new Refusal('unavailable', 'the shop does not answer: try again')
    return personOf(operationView.parse(await response.json()))
  }
}
