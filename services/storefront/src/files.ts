import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Page } from '@tideshop/contracts/storefront'

/**
 * What every page refers to. Each name carries a hash of what the file holds, so a browser asks for it once, and again when
 * there is another one.
 */

const files = { css: read('style.css'), svg: read('icon.svg') } as const
type Kind = keyof typeof files

export const STYLE = addressOf('css')
export const ICON = addressOf('svg')

/** A name of before, or of a replica that is newer, means the same file: as long as both are there, the page has some style. */
export function fileAt(path: string): Page | null {
  const kind = /^\/assets\/[\w-]+\.(css|svg)$/.exec(path)?.[1] as Kind | undefined
  return kind === undefined ? null : { file: files[kind], type: kind, lasting: path === addressOf(kind) }
}

function addressOf(kind: Kind): string {
  return `/assets/${createHash('sha256').update(files[kind]).digest('base64url').slice(0, 12)}.${kind}`
}

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
}
