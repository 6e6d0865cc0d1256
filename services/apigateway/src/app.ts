import { idempotencyKey, operationId, operationKinds } from '@tideshop/contracts/operations'
import { type HttpParts, httpApp, jsonBody } from '@tideshop/kit/http'
import type { Invoke, InvokeResponse } from '@tideshop/kit/invoke'
import { parse, Refusal } from '@tideshop/kit/refusal'
import { continueTrace } from '@tideshop/kit/trace'
import express, { type Express, type Request, type Response } from 'express'
import { docsAssets, docsPage } from './docs.ts'
import { openApi } from './openapi.ts'

export type GatewayParts = HttpParts & { invoke: Invoke; newId: () => string }

/** The shop's door: checks what comes in, so that rubbish wakes nobody, and passes it on to who knows. */
export function gatewayApp(parts: GatewayParts): Express {
  const { invoke, newId } = parts
  return httpApp(parts, (app) => {
    app.post('/operation/create/:kind', jsonBody, async (request, response) => {
      const { kind, body, key } = readCreate(request)
      // Named here: when the sidecar repeats the call, or the answer is lost, it is still one operation.
      const id = newId()
      const headers = { 'operation-id': id, ...(key !== undefined && { 'idempotency-key': key }) }
      const path = `operation/create/${kind}`
      pass(response, await invoke('operations', 'POST', path, { body, headers: traced(request, headers) }))
    })

    app.get('/operation/get/:id', async (request, response) => {
      const path = `operation/get?uuid=${parse(operationId, request.params.id, 'uuid')}`
      pass(response, await invoke('operations', 'GET', path, { headers: traced(request) }))
    })

    app.get('/openapi.json', (_request, response) => {
      response.json(openApi)
    })
    // Whoever follows the address that the shop printed should find a page.
    app.get('/', (_request, response) => {
      response.redirect('/docs')
    })
    app.get('/docs', (_request, response) => {
      response.type('html').send(docsPage)
    })
    app.use('/docs/assets', express.static(docsAssets, { index: false }))
  })
}

function readCreate(request: Request) {
  const kind = String(request.params['kind'])
  if (!Object.hasOwn(operationKinds, kind)) throw new Refusal('not-found', `there is no operation ${kind}`)
  const body = parse(operationKinds[kind as keyof typeof operationKinds], request.body)
  return {
    kind,
    body,
    key: parse(idempotencyKey.optional(), request.get('idempotency-key'), 'Idempotency-Key'),
  }
}

function traced(request: Request, headers: Record<string, string> = {}): Record<string, string> {
  return { ...headers, traceparent: continueTrace(request.get('traceparent')) }
}

const PASSED_HEADERS = ['content-type', 'location', 'retry-after']

function pass(response: Response, { status, headers, body }: InvokeResponse): void {
  for (const name of PASSED_HEADERS) {
    const value = headers[name]
    if (value !== undefined) response.set(name, value)
  }
  response.status(status).send(body)
}
