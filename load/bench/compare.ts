import { readFile } from 'node:fs/promises'
import { CannotRun, readArguments } from '../src/arguments.ts'
import { differencesOf, type Pair, pairsOf, type Report } from './pairs.ts'
import { tellNumber } from './tell.ts'

export const summary = 'pairs the figures of two runs, and says where there is no clear difference'

export const help = `pnpm bench compare A.json B.json

Both are files of --json. Each figure: the medians, B to A, and "no clear difference" where the ranges overlap.`

export async function run(args: string[]): Promise<boolean> {
  const { positionals } = readArguments({ args, allowPositionals: true, options: {} })
  const [first, second, ...more] = positionals
  if (first === undefined || second === undefined || more.length > 0) {
    throw new CannotRun('give two files of --json')
  }
  const [one, other] = await Promise.all([read(first), read(second)])
  for (const difference of differencesOf(one, other)) console.log(`they differ in ${difference}`)
  const pairs = pairsOf(one, other)
  if (pairs.length === 0) throw new CannotRun('the two have no figure in common')
  console.log(tellPairs(pairs))
  if ([one, other].some(({ runs }) => !Array.isArray(runs) || runs.length < 2)) {
    console.log('\nOne run has no range: what differs may be chance. Measure with --repeat 5.')
  }
  return true
}

async function read(file: string): Promise<Report> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Report
  } catch (error) {
    throw new CannotRun(`${file} is no report of pnpm bench: ${(error as Error).message}`)
  }
}

function tellPairs(pairs: readonly Pair[]): string {
  const width = Math.max(...pairs.map(({ name }) => name.length))
  const lines = pairs.map(({ name, first, second, ratio, overlap }) => {
    const medians = [first, second].map(({ median }) => tellNumber(median).padStart(10)).join(' ')
    const times = ratio === null ? '' : `× ${ratio.toFixed(2)}`
    return `${name.padEnd(width)} ${medians}  ${times.padEnd(8)}${overlap ? '  no clear difference' : ''}`
  })
  return [`${''.padEnd(width)} ${'A'.padStart(10)} ${'B'.padStart(10)}`, ...lines].join('\n')
}
