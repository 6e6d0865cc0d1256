import { writeFileSync } from 'node:fs'
import { files } from './files.ts'

/** `pnpm events`: after a change in contracts/ of what is said on a topic or in a queue. */
for (const { path, text } of files()) writeFileSync(path, text)
