import { saleId } from '@tideshop/contracts/catalog'
import { failureId, failureStep, listFailures } from '@tideshop/contracts/failures'
import { listReports } from '@tideshop/contracts/jobs'
import type { Permission } from '../permissions.ts'
import { SIGNED_IN } from './accounts.ts'
import { answer, inPath, jsonBody, later, no, queryOf, skuInPath, wrongBody } from './words.ts'

/** What the staff may, but for orders; and what everybody is shown of the settings. */

const wrong = {
  ...wrongBody,
  400: no('Malformed id, broken JSON or wrong fields'),
}
const unless = (permission: Permission) => ({
  403: no(`Whoever asks has not the permission \`${permission}\``),
})
const byStaff = (operationId: string, summary: string, parameter: object) => ({
  tags: ['admin'],
  operationId,
  summary,
  security: SIGNED_IN,
  parameters: [parameter],
})

/** Of `administrate`. */
export const adminPaths = {
  '/api/admin/goods/{sku}': {
    put: {
      ...byStaff('putGood', 'Put a good on a shelf, or change the one of this version', skuInPath),
      requestBody: jsonBody('GoodToPut'),
      responses: {
        200: answer('The good as it is now', 'Good'),
        ...wrong,
        ...unless('catalog:write'),
        404: no('Nothing of that version is there to change'),
        409: no('It was changed since'),
        503: later,
      },
    },
  },
  '/api/admin/sales/{id}': {
    put: {
      ...byStaff('putSale', 'Plan a sale, or change the one of this version', inPath('id', saleId)),
      requestBody: jsonBody('SaleToPut'),
      responses: {
        200: answer('The sale as it is now', 'Sale'),
        ...wrong,
        ...unless('catalog:write'),
        404: no('Nothing of that version is there to change'),
        409: no('It was changed since'),
        503: later,
      },
    },
  },
  '/api/admin/stock/{sku}': {
    get: {
      ...byStaff('getStock', 'How much of a good there is', skuInPath),
      responses: {
        200: answer('Pieces', 'Stock'),
        400: no('Malformed sku'),
        ...unless('stock:read'),
        404: no('No such good'),
        503: later,
      },
    },
  },
  '/api/admin/stock/{sku}/deliveries': {
    post: {
      ...byStaff('deliverStock', 'More pieces came; the same id is the same delivery', skuInPath),
      requestBody: jsonBody('StockDelivery'),
      responses: {
        200: answer('The delivery', 'StockDelivery'),
        ...wrong,
        ...unless('stock:deliver'),
        404: no('No such good'),
        422: no('The id stands for something else'),
        503: later,
      },
    },
  },
}

/** Of `administerSettings` and `showReports`. */
export const ownersPaths = {
  '/api/admin/settings': {
    get: {
      tags: ['admin'],
      operationId: 'getAllSettings',
      summary: 'The settings of the shop, as they are kept',
      responses: { 200: answer('The settings', 'ShopSettings'), 503: later },
    },
    put: {
      tags: ['admin'],
      operationId: 'putSettings',
      summary: 'Change the settings of this version',
      requestBody: jsonBody('SettingsToPut'),
      responses: {
        200: answer('The settings as they are now', 'ShopSettings'),
        ...wrongBody,
        409: no('They were changed since'),
        503: later,
      },
    },
  },
  '/api/admin/reports': {
    get: {
      tags: ['admin'],
      operationId: 'listReports',
      summary: 'The days of the shop, the newest first',
      parameters: queryOf(listReports),
      responses: {
        200: answer('A page of reports', 'ReportsPage'),
        400: no('Malformed query'),
        503: later,
      },
    },
  },
}

/** Of `showSettings`. */
export const settingsPaths = {
  '/api/settings': {
    get: {
      tags: ['shop'],
      operationId: 'getSettings',
      summary: 'What the shop is called, and what it has to say just now',
      description: 'In maintenance every change is answered with 503 and this message; looking goes on.',
      responses: { 200: answer('The notice', 'ShopNotice') },
    },
  },
} as const

/** Of `administerFailures`. */
export const failurePaths = {
  '/api/admin/failures': {
    get: {
      tags: ['admin'],
      operationId: 'listFailures',
      summary: 'Messages that no service could handle, the last one first',
      parameters: queryOf(listFailures),
      responses: { 200: answer('A page of them', 'FailuresPage'), 400: no('Malformed query'), 503: later },
    },
  },
  ...Object.fromEntries(
    failureStep.options.map((step) => [
      `/api/admin/failures/{id}/${step}`,
      {
        post: {
          tags: ['admin'],
          operationId: `${step}Failure`,
          summary:
            step === 'redrive'
              ? 'Put it back into its topic, where it is tried again; twice is once'
              : 'Give it up; twice is once',
          parameters: [inPath('id', failureId)],
          responses: {
            200: answer('The failure as it is now', 'Failure'),
            400: no('Malformed id'),
            404: no('No such failure'),
            409: no('The other was done already, or it is too large to be put back from here'),
            503: later,
          },
        },
      },
    ]),
  ),
}
