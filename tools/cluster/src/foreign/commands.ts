import { since, withProgress } from '@tideshop/run/progress'
import type { Making } from '../images.ts'
import type { Kubectl } from '../kubectl.ts'
import { NAMESPACE } from '../place.ts'
import { serviceLogs } from '../shop.ts'
import { readUpOptions } from './arguments.ts'
import { downSteps, takeAway } from './down.ts'
import { isMarked } from './objects.ts'
import { OVERLAY_LABEL, shopNamespace } from './overlay.ts'
import { dapr, findOperator, keda } from './platform.ts'
import { kubectlTo, reach } from './reach.ts'
import { install, installSteps, lookAround, lookSteps } from './up.ts'
import { type Standing, standingWords } from './words.ts'

const DOOR_PORT = 8080

/** A command of `pnpm cluster` for the cluster of a context; resolves with the exit code. */
export async function inContext(context: string, command = '', args: string[]): Promise<number> {
  switch (command) {
    case 'up':
      return up(context, args)
    case 'down':
      return down(context)
    case 'status':
      return status(context)
    case 'logs':
      return serviceLogs((await reach(context, saying())).kubectl, args[0])
    case 'kubectl':
      return (await kubectlTo(context, saying())).inTerminal(...args)
    default:
      console.error(
        `with --context there is up, down, status, logs and kubectl, but no ${command || 'command'}`,
      )
      return 1
  }
}

async function up(context: string, args: string[]): Promise<number> {
  const begunAt = performance.now()
  const wish = { context, ...readUpOptions(args) }
  const signal = stopped()
  const standing: Standing = new Map()
  try {
    const doing = { env: process.env, signal }
    const plan = await withProgress(lookSteps, (report) => lookAround(wish, { ...doing, report }))
    console.log(plan.words.map((word) => `  ${word.replaceAll('\n', '\n  ')}`).join('\n'))
    await withProgress(installSteps, (report) => install(plan, standing, { ...doing, report }))
  } catch (error) {
    console.error(signal.aborted ? 'no longer waiting' : (error as Error).message)
    console.error(standingWords(standing, wish))
    return 1
  }
  console.log(`
  The shop is open, after ${since(begunAt)}. Its door:
        kubectl --context ${context} --namespace ${NAMESPACE} port-forward service/apigateway ${DOOR_PORT}:80
        curl http://127.0.0.1:${DOOR_PORT}/operation/create/user-create -H 'content-type: application/json' -d '{"name":"hans"}'
  pnpm cluster down --context ${context} takes away what this brought.
`)
  return 0
}

async function down(context: string): Promise<number> {
  const begunAt = performance.now()
  const signal = stopped()
  try {
    const stays = await withProgress(downSteps, (report) =>
      takeAway(context, { env: process.env, report, signal }),
    )
    for (const one of stays) console.log(one)
    console.log(`what pnpm cluster up brought is gone, ${since(begunAt)}`)
    return 0
  } catch (error) {
    console.error(signal.aborted ? 'no longer waiting' : (error as Error).message)
    console.error(`pnpm cluster down --context ${context} goes on where this ended`)
    return 1
  }
}

async function status(context: string): Promise<number> {
  const { kubectl, kubernetes } = await reach(context, saying())
  console.log(`context ${context}: Kubernetes ${kubernetes}`)
  for (const part of [dapr, keda]) {
    const found = await findOperator(kubectl, part)
    const from = found.state === 'ours' ? 'from here' : 'not from here'
    console.log(`${part.title}: ${'version' in found ? `${found.version}, ${from}` : 'not there'}`)
  }
  return shopStatus(kubectl, context)
}

async function shopStatus(kubectl: Kubectl, context: string): Promise<number> {
  const space = await shopNamespace(kubectl)
  if (space === null) {
    console.log(`the shop: not there (pnpm cluster up --context ${context})`)
    return 1
  }
  console.log(
    `the shop: ${isMarked(space) ? `overlay ${space.metadata.labels?.[OVERLAY_LABEL]}` : 'not from here'}\n`,
  )
  await kubectl.inTerminal('get', 'deployments,scaledobjects', `--namespace=${NAMESPACE}`)
  console.log()
  return kubectl.inTerminal('get', 'pods', `--namespace=${NAMESPACE}`)
}

/** From the first Ctrl-C on. */
function stopped(): AbortSignal {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())
  return stopping.signal
}

/** For what is done without steps: what has to be built is said as it comes. */
function saying(): Making {
  return { env: process.env, report: console.error, signal: new AbortController().signal }
}
