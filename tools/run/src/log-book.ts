import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import path from 'node:path'
import { type LogLine, understand } from './log-lines.ts'

/** Lines kept in memory. Warnings and errors have room of their own, so that chatter does not push them out. */
const LINES_MAX = 2000
const WARNINGS_MAX = 300

/** Lines shown of each kind, unless more or fewer are asked for. */
const LINES_SHOWN = 200

/** Characters of one line; a stack or a dumped body beyond it is cut. */
const LINE_CHARS_MAX = 8 * 1024

/** Bytes of one log file; then it becomes `.log.1` and a new one begins. */
const FILE_BYTES_MAX = 16 * 1024 * 1024

export type LogFilter = {
  /** Only this process. */
  source?: string
  /** Lines, from the newest back. Default 200. */
  last?: number
  /** Only lines that name one of these, an id say; looked for in the files too, where all is that was said. */
  naming?: readonly string[]
}

/** What all processes of a shop said: in one file each, and the newest lines in memory. */
export class LogBook {
  readonly dir: string
  readonly #onLine: (line: LogLine) => void
  readonly #files = new Map<string, { descriptor: number; bytes: number }>()
  readonly #lines: LogLine[] = []
  readonly #warnings: LogLine[] = []
  #closed = false

  constructor(dir: string, onLine: (line: LogLine) => void) {
    mkdirSync(dir, { recursive: true })
    this.dir = dir
    this.#onLine = onLine
  }

  file(source: string): string {
    return path.join(this.dir, `${source.replaceAll('/', '-')}.log`)
  }

  add(source: string, text: string): void {
    if (this.#closed) return
    const line = { source, text: text.slice(0, LINE_CHARS_MAX), at: new Date() }
    keep(this.#lines, line, LINES_MAX)
    const { level } = understand(line.text)
    if (level === 'warn' || level === 'error') keep(this.#warnings, line, WARNINGS_MAX)
    this.#write(line)
    this.#onLine(line)
  }

  /** For whoever asks why something failed: the warnings and errors first, then the newest lines. */
  text(filter: LogFilter = {}): string {
    const last = filter.last ?? LINES_SHOWN
    if (filter.naming !== undefined) return this.#naming(filter.naming, filter)
    const pick = (lines: LogLine[]) =>
      lines.filter((line) => filter.source === undefined || line.source === filter.source).slice(-last)
    const show = (line: LogLine) => `${line.at.toISOString()} ${line.source} · ${line.text}`
    const warnings = pick(this.#warnings).map(show)
    const lines = pick(this.#lines).map(show)
    return ['--- warnings and errors', ...warnings, '--- newest lines', ...lines].join('\n')
  }

  /** By process, since a file has no clock of its own; each as it was written. */
  #naming(words: readonly string[], { source, last = LINES_SHOWN }: LogFilter): string {
    const sources = [...this.#files.keys()].filter((name) => source === undefined || name === source)
    const found = sources.toSorted().flatMap((name) => {
      const lines = [`${this.file(name)}.1`, this.file(name)].flatMap(linesOf)
      const named = lines.filter((line) => words.some((word) => line.includes(word))).slice(-last)
      return named.map((line) => `${name} · ${line}`)
    })
    return [`--- lines that name ${words.join(', ')}`, ...found].join('\n')
  }

  /** The last words of a process. */
  tail(source: string, count: number): string[] {
    const lines = this.#lines.filter((line) => line.source === source)
    return lastWords(
      lines.map((line) => line.text),
      count,
    )
  }

  close(): void {
    this.#closed = true
    for (const { descriptor } of this.#files.values()) closeSync(descriptor)
    this.#files.clear()
  }

  /** Written at once and not by a stream: what a dying runner was told must be on the disk. */
  #write(line: LogLine): void {
    const file = this.#files.get(line.source) ?? this.#begin(line.source)
    file.bytes += writeSync(file.descriptor, `${line.text}\n`)
    if (file.bytes < FILE_BYTES_MAX) return
    closeSync(file.descriptor)
    renameSync(this.file(line.source), `${this.file(line.source)}.1`)
    this.#begin(line.source)
  }

  #begin(source: string): { descriptor: number; bytes: number } {
    const file = { descriptor: openSync(this.file(source), 'w'), bytes: 0 }
    this.#files.set(source, file)
    return file
  }
}

/** At most a file's bound; none of a file that has not been begun. */
function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function keep(lines: LogLine[], line: LogLine, max: number): void {
  lines.push(line)
  if (lines.length > max) lines.shift()
}

/** The last lines that say something: the frames of a stack would push out the sentence above them. */
export function lastWords(lines: string[], count: number): string[] {
  return lines.filter((text) => text.trim() !== '' && !/^\s+at /.test(text)).slice(-count)
}
