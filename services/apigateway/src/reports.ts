import type { DayReports } from '@tideshop/clients/reports'
import { listReports } from '@tideshop/contracts/jobs'
import { parse } from '@tideshop/kit/refusal'
import type { RequestHandler } from 'express'

/** `GET /api/admin/reports`, for who may: it is to stand behind a role. */
export function showReports({ list }: DayReports): RequestHandler {
  return async (request, response) => {
    const page = await list(parse(listReports, request.query, 'query'))
    response.set('cache-control', 'private, no-store').json(page)
  }
}
