import { existsSync } from 'node:fs'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { keep } from '../src/cache.ts'

/** Fills a folder of the cache, but only half until somebody writes the file `<folder>.go`. */
const [folder = ''] = process.argv.slice(2)

await keep({
  folder,
  signal: undefined,
  report: (line) => process.stdout.write(`${line}\n`),
  fill: async (unfinished) => {
    await appendFile(`${folder}.log`, `${process.pid}\n`)
    await writeFile(join(unfinished, 'half'), '')
    process.stdout.write('half\n')
    while (!existsSync(`${folder}.go`)) await pause(10)
    await writeFile(join(unfinished, 'whole'), '')
  },
})
process.stdout.write('done\n')
