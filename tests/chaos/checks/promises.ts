import type { Asked, Books } from '../books.ts'
import type { Finding } from './finding.ts'

/** What callers were answered, held against the operations that stand there. */

export function keptPromises({ asked, operationById }: Books): Finding[] {
  return asked.flatMap((one) => {
    const { key, name } = one
    return promisesOf(one).flatMap((uuid): Finding[] => {
      const body = operationById.get(uuid)?.body
      const of = { key, operationId: uuid }
      if (body === undefined) return [{ kind: 'lost', what: `operation ${uuid} was promised`, of }]
      if (body['idempotencyKey'] === key && body['name'] === name) return []
      return [{ kind: 'wrong', what: `operation ${uuid} is not what was promised for ${name}`, of }]
    })
  })
}

export function onePerKey({ asked, operationsByKey }: Books): Finding[] {
  return asked.flatMap((one): Finding[] => {
    const { key } = one
    const ids = new Set([...promisesOf(one), ...(operationsByKey.get(key) ?? []).map(({ _id }) => _id)])
    // A key that was used for two wishes is in two of `asked`; it belongs to the one that was promised.
    if (ids.size < 2 || isRefused(one)) return []
    return [{ kind: 'doubled', what: `key ${key} made operations ${[...ids].join(', ')}`, of: { key } }]
  })
}

export function refusalsWithoutTrace({ asked, operationsByKey, askedByKey }: Books): Finding[] {
  return asked.filter(isRefused).flatMap((one) => {
    const { key, name } = one
    const isAlone = askedByKey.get(key)?.length === 1
    const traces = (operationsByKey.get(key) ?? []).filter(({ body }) => isAlone || body['name'] === name)
    return traces.map(({ _id }): Finding => {
      return { kind: 'trace', what: `operation ${_id} was refused each time`, of: { key, operationId: _id } }
    })
  })
}

export function promisesOf({ answers }: Asked): string[] {
  return [...new Set(answers.flatMap((answer) => (answer.kind === 'promised' ? answer.uuid : [])))]
}

export function isRefused({ answers }: Asked): boolean {
  return answers.length > 0 && answers.every(({ kind }) => kind === 'refused')
}
