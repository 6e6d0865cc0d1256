import { Refusal } from '@tideshop/kit/refusal'

/** Who comes with an older version has not seen what was changed since; who comes with none wants to create. */
export function demandVersion(current: { version: number } | null, version: number | undefined): void {
  if (current?.version === version) return
  if (current === null) throw new Refusal('not-found', 'there is nothing of that version to change')
  throw new Refusal('conflict', `it is at version ${current.version}`)
}
