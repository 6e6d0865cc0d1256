import { join } from 'node:path'
import { root } from '@tideshop/run/arguments'
import { asyncApi } from './asyncapi.ts'
import { channels } from './channels.ts'
import { eventsPage } from './markdown.ts'

/** What `pnpm events` writes, and a test holds: path and text of each. */
export function files(): { path: string; text: string }[] {
  const all = channels()
  return [
    { path: join(root, 'docs/events.md'), text: eventsPage(all) },
    { path: join(root, 'docs/asyncapi.yaml'), text: asyncApi(all) },
  ]
}
