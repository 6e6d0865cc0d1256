import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type BuildContext, runBuild } from './child.ts'
import { freePort } from './free-port.ts'
import type { Program } from './part.ts'

/*
 * Most of a JVM's start is loading classes. One rehearsal writes those that Kafka loaded into an archive, which later
 * runs map into memory: on two cores Kafka is ready after 2.0 s and 2.7 s of work, without it after 2.9 s and 4.2 s.
 * The archive holds for these jars at this path and for this JVM; any other ignores it and starts as slowly as ever.
 */

const REHEARSAL_MS = 90_000
const LOOK_AGAIN_MS = 100

/** Starts and ends Kafka once, on free ports and in a folder of its own; its JVM writes `archive` at its end. */
export async function rehearseKafka(program: Program, archive: string, context: BuildContext): Promise<void> {
  const deadline = AbortSignal.timeout(REHEARSAL_MS)
  const signal = context.signal === undefined ? deadline : AbortSignal.any([deadline, context.signal])
  const folder = await mkdtemp(join(tmpdir(), 'kafka-rehearsal-'))
  try {
    const port = await freePort()
    const settings = join(folder, 'server.properties')
    await writeFile(settings, settingsOf(join(folder, 'data'), port, await freePort()))
    const format = ['kafka.tools.StorageTool', 'format', '-t', 'rehearsal', '-c', settings]
    await runBuild({
      ...context,
      command: program.command,
      args: [...program.args, ...format],
      cwd: folder,
      signal,
    })
    const args = [`-XX:ArchiveClassesAtExit=${archive}`, ...program.args, 'kafka.Kafka', settings]
    const kafka = spawn(program.command, args, { env: context.env, stdio: 'ignore' })
    const ended = once(kafka, 'exit', { signal })
    try {
      await Promise.race([ended, answersAt(port, signal)])
      kafka.kill('SIGTERM')
      await ended
    } finally {
      kafka.kill('SIGKILL')
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function answersAt(port: number, signal: AbortSignal): Promise<void> {
  while (!(await connects(port))) await pause(LOOK_AGAIN_MS, undefined, { signal })
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function settingsOf(data: string, port: number, controllerPort: number): string {
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'log.dirs': data,
  })
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')
}
