import type { Storefront } from '@tideshop/clients/storefront'
import { categoryId, sku } from '@tideshop/contracts/catalog'
import { orderId } from '@tideshop/contracts/orders'
import { askForPage, type Page } from '@tideshop/contracts/storefront'
import { RETRY_AFTER_S } from '@tideshop/kit/http'
import { parse, Refusal } from '@tideshop/kit/refusal'
import { continueTrace } from '@tideshop/kit/trace'
import express, { type Express, type Request, type RequestHandler, type Response } from 'express'
import { type ZodType, z } from 'zod'
import { noticeOf, type Settings } from './settings.ts'
import { customerOf, remember, whoAsks } from './who.ts'

/** Bytes of a form. */
const FORM_MAX = 16 * 1024
/** Seconds for which a browser keeps a file whose name changes with what it holds, and one whose name is of another. */
const LASTING_S = 365 * 24 * 3600
const FLEETING_S = 60

export type PageParts = { storefront: Storefront; settings: Settings; newId: () => string; now: () => Date }

/** The shop as people see it: its pages are made by `storefront`, and the door says who asks. */
export function showPages(app: Express, parts: PageParts & { canSignIn: boolean }): void {
  async function show(request: Request, response: Response): Promise<void> {
    demandGoodName(request)
    const { account } = whoAsks(request)
    const customerId = customerOf(request) ?? firstId(request, parts)
    const asked = parse(askForPage, {
      method: request.method === 'POST' ? 'POST' : 'GET',
      path: request.path,
      query: textsIn(request.query),
      form: textsIn(request.body),
      ...(customerId !== undefined && { customerId }),
      ...(account !== null && { customerName: account.name }),
      ...(parts.canSignIn && { canSignIn: true }),
      notice: noticeOf(await parts.settings.known(), parts.now()),
      newId: parts.newId(),
      traceparent: continueTrace(request.get('traceparent')),
    })
    const page = await parts.storefront.page(asked)
    if ('keptS' in page && page.keptS !== undefined && customerId !== undefined)
      remember(request, response, customerId, page.keptS)
    send(response, page)
  }

  app.get(['/', '/c/:category', '/search', '/p/:sku', '/assets/:file'], show)
  for (const path of ['/basket', '/checkout', '/orders/:id']) {
    app.get(path, show)
    app.post(path, fromOurPages, form, show)
  }
  app.get('/orders', show)
}

/** Whoever begins something gets an id; who only looks is nobody. */
function firstId({ method }: Request, { newId }: PageParts): string | undefined {
  return method === 'POST' ? newId() : undefined
}

const names: Record<string, ZodType> = {
  category: categoryId,
  sku,
  id: orderId,
  file: z.string().regex(/^[\w-]{1,40}\.(css|svg)$/),
}

/** Rubbish wakes nobody. */
function demandGoodName({ params }: Request): void {
  for (const [kind, name] of Object.entries(params)) {
    if (names[kind]?.safeParse(name).success === false)
      throw new Refusal('not-found', 'there is nothing of such a name')
  }
}

/** Of what comes twice the first counts. */
function textsIn(values: unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values ?? {}).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  )
}

function send(response: Response, page: Page): void {
  if ('file' in page) {
    const keep = page.lasting ? `public, max-age=${LASTING_S}, immutable` : `public, max-age=${FLEETING_S}`
    response.set('cache-control', keep).type(page.type).send(page.file)
    return
  }
  // It may show what is in somebody's basket: nobody on the way may keep it.
  response.set('cache-control', 'private, no-store')
  if ('location' in page) {
    response.redirect(303, page.location)
    return
  }
  if (page.status === 503) response.set('retry-after', String(RETRY_AFTER_S))
  response.status(page.status).type('html').send(page.html)
}

/**
 * No other site may send a form of ours for somebody: its browser sends no cookie along then (`SameSite`), and says where the
 * form stands. Who says neither is no browser, and has no cookie that he did not bring himself.
 */
const fromOurPages: RequestHandler = (request, _response, next) => {
  const site = request.get('sec-fetch-site')
  const origin = request.get('origin')
  const isOurs =
    site === undefined
      ? origin === undefined || hostOf(origin) === request.get('host')
      : site === 'same-origin'
  if (!isOurs) throw new Refusal('forbidden', 'this form was sent by another site')
  next()
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}

const readForm = express.urlencoded({ extended: false, limit: FORM_MAX })

const form: RequestHandler = (request, response, next) => {
  if (!request.is('application/x-www-form-urlencoded'))
    throw new Refusal('wrong-media-type', 'send a form: application/x-www-form-urlencoded')
  readForm(request, response, next)
}

/** What a browser shows while nobody makes pages. It stands alone: who would hand out its style is away as well. */
export function errorPage(
  status: number,
  detail = 'Something broke on our side. We have written it down.',
): string {
  const title = status === 503 ? 'Low tide' : status === 404 ? 'Not here' : 'That did not work'
  const text = detail.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Tideshop</title>
</head>
<body>
<main>
<h1>${title}</h1>
<p>${text}</p>
<p><a href="/">Tideshop</a></p>
</main>
</body>
</html>
`
}
