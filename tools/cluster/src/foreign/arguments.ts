import { parseArgs } from 'node:util'
import { isOverlay, OVERLAYS, type Overlay } from './overlay.ts'

export type UpOptions = {
  overlay: Overlay
  /** Of the registry with the shop's images; null where the overlay's names are right. */
  imagePrefix: string | null
}

/** `--context NAME`, wherever it stands before a `--`; and what else was typed. */
export function takeContext(words: string[]): { context: string | null; rest: string[] } {
  const end = words.includes('--') ? words.indexOf('--') : words.length
  const at = words.slice(0, end).findIndex((word) => /^--context(=|$)/.test(word))
  if (at === -1) return { context: null, rest: words }
  const isOneWord = words[at] !== '--context'
  const context = isOneWord ? words[at]?.slice('--context='.length) : words[at + 1]
  if (!context || context.startsWith('-')) throw new Error('--context needs the name of a context')
  return { context, rest: words.toSpliced(at, isOneWord ? 1 : 2) }
}

/** Throws a sentence for whoever typed. */
export function readUpOptions(args: string[]): UpOptions {
  const { values } = parseArgs({
    args,
    options: { overlay: { type: 'string', default: 'kind' }, images: { type: 'string' } },
  })
  if (!isOverlay(values.overlay)) throw new Error(`--overlay must be one of ${OVERLAYS.join(', ')}`)
  const imagePrefix = values.images?.replace(/\/+$/, '') ?? null
  if (imagePrefix !== null && !/^[a-z0-9][\w.:-]*(\/[\w.-]+)*$/.test(imagePrefix)) {
    throw new Error(
      '--images must be the start of an image’s name in your registry: registry.example.com/tideshop',
    )
  }
  return { overlay: values.overlay, imagePrefix }
}
