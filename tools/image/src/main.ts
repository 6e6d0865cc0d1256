import { join } from 'node:path'
import { bundle } from './bundle.ts'

/** What the Dockerfile calls: `node tools/image/src/main.ts <service> <folder>`. */
const [service, folder] = process.argv.slice(2)
if (service === undefined || folder === undefined) {
  console.error('usage: node tools/image/src/main.ts <service> <folder>')
  process.exit(2)
}
await bundle(join(import.meta.dirname, '../../..'), service, folder)
