import { stripVTControlCharacters } from 'node:util'

/** Major, minor, patch. */
export type Version = [number, number, number]

/** The first version in what a program says of itself, or null ("edge", nothing at all). */
export function versionIn(text: string): Version | null {
  const match = /(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(stripVTControlCharacters(text))
  if (match === null) return null
  return [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)]
}

export function atLeast(version: Version, minimum: Version): boolean {
  for (const [position, wanted] of minimum.entries()) {
    const had = version[position] ?? 0
    if (had !== wanted) return had > wanted
  }
  return true
}

export function written(version: Version): string {
  return version.join('.')
}

/** The first version with all that is said behind it (`1.18.2-tideshop.1`), which tells builds of one version apart. */
export function versionTextIn(text: string): string | null {
  return /\d+(\.\d+)*(-[\w.]+)?/.exec(stripVTControlCharacters(text))?.[0] ?? null
}
