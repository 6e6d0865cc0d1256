import type { FailureTable } from '@tideshop/clients/failures'
import { failureId, failureStep, listFailures } from '@tideshop/contracts/failures'
import { parse } from '@tideshop/kit/refusal'
import type { IRouter } from 'express'

/** Messages that no service could handle. For who may: it is to be mounted behind the role. */
export function administerFailures(app: IRouter, failures: FailureTable): void {
  app.get('/api/admin/failures', async (request, response) => {
    const page = await failures.list(parse(listFailures, request.query, 'query'))
    // Messages name customers.
    response.set('cache-control', 'private, no-store').json(page)
  })

  for (const step of failureStep.options) {
    app.post(`/api/admin/failures/:id/${step}`, async (request, response) => {
      const id = parse(failureId, request.params['id'], 'id')
      const failure = await failures.settle({ id, step })
      response.set('cache-control', 'private, no-store').json(failure)
    })
  }
}
