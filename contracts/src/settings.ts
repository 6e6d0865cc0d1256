import { z } from 'zod'
import { noControlCharacters } from './text.ts'

/** What the shop's owners set while it is open: kept by its doors, told to whoever asks at one. */

function line(max: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(max, `may have ${max} characters`)
    .regex(noControlCharacters, 'may not have control characters')
}

const shopName = line(60).meta({ examples: ['Tideshop'] })
const bannerText = {
  text: line(300).meta({ examples: ['Free shipping until Sunday.'] }),
  level: z.enum(['info', 'warning']),
}
const banner = z
  .strictObject({
    ...bannerText,
    from: z.iso.datetime().optional().meta({ description: 'UTC; without it at once' }),
    until: z.iso
      .datetime()
      .optional()
      .meta({ description: 'UTC, just before it; without it until somebody takes it away' }),
  })
  .refine(({ from, until }) => !from || !until || Date.parse(from) < Date.parse(until), {
    path: ['until'],
    error: 'needs to be after from',
  })
const maintenance = z.strictObject({
  message: line(300).meta({ examples: ['We are back at eight.'] }),
})

const settings = {
  name: shopName,
  banner: banner.nullable(),
  /** While it is there customers look, and change nothing. */
  maintenance: maintenance.nullable(),
}

/** `GET /api/admin/settings`. `version` counts the changes; 0 while there was none. */
export const shopSettings = z.object({ ...settings, version: z.int().min(0) })
export type ShopSettings = z.infer<typeof shopSettings>

/** `PUT /api/admin/settings`, whole, with the `version` that was seen: who comes with an older one has not seen what changed since. */
export const putSettings = z.strictObject({ ...settings, version: z.int().min(0) })
export type PutSettings = z.infer<typeof putSettings>

export const defaultSettings: ShopSettings = { name: 'Tideshop', banner: null, maintenance: null, version: 0 }

/** `GET /api/settings`: what customers are told, now. */
export const shopNotice = z.object({
  name: shopName,
  banner: z.object(bannerText).nullable(),
  maintenance: maintenance.nullable(),
})
export type ShopNotice = z.infer<typeof shopNotice>
