import { forStaff, securitySchemes, sessionPaths, withWhoAsks } from './openapi/accounts.ts'
import { adminPaths, failurePaths, ownersPaths, settingsPaths } from './openapi/admin.ts'
import { basketPaths } from './openapi/basket.ts'
import { catalogPaths, pricePaths } from './openapi/catalog.ts'
import { operationPaths } from './openapi/operations.ts'
import { adminOrderPaths, orderPaths } from './openapi/orders.ts'
import { schemas } from './openapi/words.ts'

/** The door's contract, OpenAPI 3.1, made from the schemas that check the requests, so the two cannot differ. */
export const openApi = {
  openapi: '3.1.0',
  info: { title: 'Tideshop', version: '1', description: 'A shop that scales like the tide.' },
  paths: withWhoAsks({
    ...operationPaths,
    ...pricePaths,
    ...catalogPaths,
    ...basketPaths,
    ...orderPaths,
    ...settingsPaths,
    ...adminPaths,
    ...forStaff(adminOrderPaths),
    ...forStaff(ownersPaths),
    ...forStaff(failurePaths),
    ...sessionPaths,
  }),
  components: { schemas, securitySchemes },
} as const
