import { registerHooks } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { BUG_VARIABLE, bugNamed, plantedLine, withBug } from './bugs.ts'

/**
 * Loaded into a service before its own first module (`node --import`), plants the bug that the environment names while
 * its file is being loaded. A service that does not have the file stays as it is; one that cannot be given its bug
 * dies, since a run without it would say that the bug was not found.
 */

const bug = bugNamed(process.env[BUG_VARIABLE])
const place = pathToFileURL(path.resolve(import.meta.dirname, '../../..', bug.file)).href

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (url !== place) return loaded
    const source = withBug(bug, Buffer.from(loaded.source as Uint8Array).toString('utf8'))
    // As the services write their logs, so that the runner takes it for the warning that it is.
    console.warn(JSON.stringify({ level: 40, msg: plantedLine(bug) }))
    return { ...loaded, source }
  },
})
