import type { Catalog } from '@tideshop/clients/catalog'
import type { FailureTable } from '@tideshop/clients/failures'
import type { DayReports } from '@tideshop/clients/reports'
import type { Stock } from '@tideshop/clients/stock'
import { putGood, putSale, saleId, sku, stockDelivery } from '@tideshop/contracts/catalog'
import { jsonBody } from '@tideshop/kit/http'
import { parse } from '@tideshop/kit/refusal'
import type { Express } from 'express'
import { administerFailures } from './failures.ts'
import { type OrderParts, runOrders } from './orders.ts'
import { showReports } from './reports.ts'
import { administerSettings, type Settings } from './settings.ts'
import { needs } from './who.ts'

export type AdminParts = Pick<OrderParts, 'orders'> & {
  catalog: Catalog
  stock: Stock
  settings: Settings
  reports: DayReports
  failures: FailureTable
}

/**
 * What the shop's staff does. Who may is asked before what: rubbish of a stranger is not even read. Before a turn of its stock `catalog`
 * is asked for the good: that call counts at once and wakes who sleeps, a turn only when it has failed, 5 s later.
 */
export function administrate(app: Express, parts: AdminParts): void {
  const { catalog, stock } = parts
  app.put('/api/admin/goods/:sku', needs('catalog:write'), jsonBody, async (request, response) => {
    const good = parse(sku, request.params['sku'], 'sku')
    response.json(await catalog.putGood(good, parse(putGood, request.body)))
  })

  app.put('/api/admin/sales/:id', needs('catalog:write'), jsonBody, async (request, response) => {
    const id = parse(saleId, request.params['id'], 'id')
    response.json(await catalog.putSale(id, parse(putSale, request.body)))
  })

  app.get('/api/admin/stock/:sku', needs('stock:read'), async (request, response) => {
    const { sku: good } = await catalog.good(parse(sku, request.params['sku'], 'sku'))
    response.json(await stock.read(good))
  })

  app.post(
    '/api/admin/stock/:sku/deliveries',
    needs('stock:deliver'),
    jsonBody,
    async (request, response) => {
      const delivery = parse(stockDelivery, request.body)
      const { sku: good } = await catalog.good(parse(sku, request.params['sku'], 'sku'))
      response.json(await stock.deliver(good, delivery))
    },
  )

  app.get('/api/admin/orders', needs('orders:read-all'))
  app.post('/api/admin/orders/:id/:step', needs('orders:advance'))
  runOrders(app, parts)

  app.use('/api/admin/settings', needs('settings:write'))
  administerSettings(app, parts.settings)

  app.get('/api/admin/reports', needs('reports:read'), showReports(parts.reports))

  app.get('/api/admin/failures', needs('failures:read'))
  app.post('/api/admin/failures/:id/:step', needs('failures:settle'))
  administerFailures(app, parts.failures)
}
