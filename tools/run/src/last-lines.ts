import { readFileSync } from 'node:fs'
import path from 'node:path'
import { lastWords } from './log-book.ts'
import { inWords } from './log-lines.ts'

const LINES = 12

/** What a process said last, and where it stands; no lines when there is nothing to read. `dir`: of the shop it belongs to. */
export function lastLinesOf(dir: string, process: string): { file: string; lines: string[] } {
  const file = path.join(dir, 'logs', `${process.replaceAll('/', '-')}.log`)
  return { file, lines: linesIn(file) }
}

function linesIn(file: string): string[] {
  try {
    return lastWords(readFileSync(file, 'utf8').split('\n'), LINES).map((text) => `  ${inWords(text)}`)
  } catch {
    return []
  }
}
