import path from 'node:path'
import { answers, type Spec } from '../src/process.ts'

const file = path.join(import.meta.dirname, 'fixtures/tiny-app.ts')

/** How to run the tiny app: it is ready when it answers. */
export function tinyApp(name: string, port: number, manner = 'plain'): Spec {
  return {
    name,
    command: process.execPath,
    args: [file, String(port), manner],
    cwd: import.meta.dirname,
    env: {},
    isReady: () => answers(`http://127.0.0.1:${port}/healthz`, 200),
    readyWithinMs: 20_000,
    stopWithinMs: 10_000,
  }
}
