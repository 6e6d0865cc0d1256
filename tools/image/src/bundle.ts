import { existsSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

/** Read as files while a service runs, not imported; the maps that come with them are of no use to anybody. */
const FILE_PACKAGES = ['swagger-ui-dist']

/** What Node is told in the folder that `bundle` filled, as the Dockerfile does. */
export const START = ['--import', './src/open-early.mjs', './src/main.mjs']

/** For `node --eval`: loads all that a start does, and starts nothing, since main.ts refuses a port that is none before it does anything. */
export function loadAll(folder: string): string {
  const refused = `(error) => { if (!error.message.includes('at PORT')) throw error }`
  return `import('${folder}/src/main.mjs').catch(${refused})`
}

/**
 * Puts a service into `folder` as an image holds it: `src/main.mjs` and `src/open-early.mjs` with all that they import, and what is read
 * while it runs where the source has it. A replica then loads three files instead of 365 to 655, for half of the processor time of its
 * start (docs/scaling.md). Names stay as they are, so that a stack can be read.
 */
export async function bundle(repository: string, service: string, folder: string): Promise<void> {
  const from = join(repository, 'services', service)
  await using build = await rolldown({
    cwd: from,
    platform: 'node',
    // One of Express's libraries evaluates a text of its own.
    checks: { eval: false },
    input: {
      main: join(from, 'src/main.ts'),
      'open-early': join(repository, 'packages/kit/src/open-early.ts'),
    },
  })
  await build.write({
    dir: join(folder, 'src'),
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name].mjs',
  })
  await cp(join(from, 'src'), join(folder, 'src'), {
    recursive: true,
    filter: (path) => !path.endsWith('.ts'),
  })
  for (const name of FILE_PACKAGES) {
    const installed = join(from, 'node_modules', name)
    if (!existsSync(installed)) continue
    await cp(installed, join(folder, 'node_modules', name), {
      recursive: true,
      dereference: true,
      filter: (path) => !path.endsWith('.map'),
    })
  }
}
