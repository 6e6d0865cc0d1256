import { DAPR } from '@tideshop/runtime/recipes'
import { KEDA } from '../binaries.ts'
import type { UpOptions } from './arguments.ts'
import type { Found, Part } from './platform.ts'

/** What whoever typed is told. */

const TESTED: Record<string, string> = { Dapr: DAPR, KEDA }

export type Wish = UpOptions & { context: string }

/** What this has brought so far, in its order. */
export type Standing = Map<string, 'begun' | 'there'>

export function piecesWords({ title }: Part, titles: string[]): string {
  return [
    `${title} cannot be installed: some of it, or what bears its names, is there already and did not come from here:`,
    ...titles.map((one) => `  - ${one}`),
    `Install ${title} whole by its own means and come again, or remove these if nobody needs them.`,
  ].join('\n')
}

export function foundWords({ title }: Part, found: Found): string {
  const tested = TESTED[title] ?? ''
  if (found.state === 'theirs') {
    const stays = `${title} ${found.version} is there, in ${found.namespace}, and stays as it is`
    return found.version === tested ? stays : `${stays}; the shop was tried with ${tested}`
  }
  if (found.state === 'begun') return `${title} was begun from here, and will be finished`
  if (found.state === 'ours') {
    const there = `${title} ${found.version} is there, from here`
    return found.version === tested ? there : `${there}, and will be ${tested}`
  }
  return `${title} ${tested} will be installed`
}

/** For who stopped it, or met a fault: what is half done, and what to type. */
export function standingWords(standing: Standing, { context, overlay, imagePrefix }: Wish): string {
  if (standing.size === 0) return 'nothing was changed in the cluster'
  const those = (state: string) => [...standing].filter(([, is]) => is === state).map(([title]) => title)
  const options = `${overlay === 'kind' ? '' : ` --overlay ${overlay}`}${imagePrefix === null ? '' : ` --images ${imagePrefix}`}`
  return [
    ...those('there').map((title) => `${title} is there`),
    ...those('begun').map((title) => `${title} was begun, and may go on by itself`),
    `  pnpm cluster up --context ${context}${options}   goes on`,
    `  pnpm cluster down --context ${context}   takes all of it away`,
  ].join('\n')
}
