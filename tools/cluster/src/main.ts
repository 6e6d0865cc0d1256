import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { lastWords } from '@tideshop/run/log-book'
import { NotStarted } from '@tideshop/run/process'
import { since, withProgress } from '@tideshop/run/progress'
import { close } from './down.ts'
import { takeContext } from './foreign/arguments.ts'
import { inContext } from './foreign/commands.ts'
import { addHttpAddOn, addSteps, INTERCEPTOR, removeHttpAddOn } from './http-add-on.ts'
import { kubectlAt } from './kubectl.ts'
import { addNetworkPolicies, policySteps, removeNetworkPolicies } from './network-policies.ts'
import { DOOR, NAMESPACE, type Place, PROMETHEUS_DOOR_PORT, placeOf, SECOND_NODE } from './place.ts'
import { readRecord, stateOf } from './record.ts'
import { killPart, PARTS, startPart } from './restart.ts'
import { addNode, nodeSteps, removeNode } from './second-node.ts'
import { serviceLogs } from './shop.ts'
import { AlreadyUp, Lacking, up, upSteps } from './up.ts'

const HELP = `pnpm cluster <command>: the shop on a real Kubernetes of this machine's own

  up              builds what is missing (once, about 15 minutes), starts the cluster and the shop in it
  status          what runs, and how many replicas of each service
  logs <name>     of a service (with its sidecars), or of a part of the cluster: kubelet, kafka, …
  kubectl …       the cluster's own kubectl
  restart <part>  kills kafka, mongodb or prometheus, as a crash does, and starts it again with its data
  add <what>      http-add-on: KEDA's, built the first time (two minutes), for keda/as-published/storefront.yaml
                  network-policies: kube-router, built the first time (two minutes), which enforces them; needs ipset
                  node: a second one, that can be drained
  remove <what>   takes it away again
  down            ends all of it, and leaves this machine as it was

Needs Linux, root, containerd, runc, CNI plugins and iptables; what is missing is named with the command that installs it.

With --context NAME (of $KUBECONFIG or ~/.kube/config) in another cluster, from wherever it can be reached:

  up              installs Dapr and KEDA where they are not, and then the shop
                  --overlay   kind (the default: for any cluster to try it in), production, or local
                  --images    where the shop's images are: registry.example.com/tideshop
  status, logs <service>, kubectl …
  down            takes away what up brought, and nothing else`

const LOG_LINES = 12

async function main(words: string[]): Promise<number> {
  const { context, rest } = takeContext(words)
  const [command, ...args] = rest
  if (context !== null) return inContext(context, command, args)
  const place = placeOf(process.env)
  switch (command) {
    case 'up':
      if (args.length > 0) throw new Error(`without --context there is nothing to say: ${args.join(' ')}`)
      return start()
    case 'down':
      return stop(place)
    case 'status':
      return status(place)
    case 'logs':
      return logs(place, args[0])
    case 'restart':
      return restart(place, args[0])
    case 'add':
      return add(place, args[0])
    case 'remove':
      return remove(place, args[0])
    case 'kubectl':
      return kubectlAt(place).inTerminal(...args)
    default:
      console.log(HELP)
      return command === undefined || command === '--help' || command === 'help' ? 0 : 1
  }
}

async function start(): Promise<number> {
  const begunAt = performance.now()
  const stopping = untilStopped()
  let closed: string[] = []
  try {
    closed = await withProgress(upSteps, (report) => up({ env: process.env, report, signal: stopping }))
  } catch (error) {
    if (!stopping.aborted) throw error
    console.log('the cluster was stopped before it was up; nothing of it runs')
    return 0
  }
  console.log(`
  The shop is open: ${DOOR}   (after ${since(begunAt)}; Prometheus: http://127.0.0.1:${PROMETHEUS_DOOR_PORT})
${closed.map((why) => `  But not ${why}\n`).join('')}
  Try:  id=$(curl -s ${DOOR}/operation/create/user-create -H 'content-type: application/json' -d '{"name":"hans"}' | tee /dev/stderr | cut -d'"' -f4)
        curl ${DOOR}/operation/get/$id
        pnpm cluster kubectl get pods --watch
  pnpm cluster down ends it.
`)
  return 0
}

async function stop(place: Place): Promise<number> {
  const begunAt = performance.now()
  const record = readRecord(place)
  if (stateOf(record) === 'starting') {
    console.error(`process ${record?.runner?.pid} is starting it: end that first`)
    return 1
  }
  if (record === null) console.log('there is no cluster')
  else {
    await close(place)
    console.log(`the cluster is gone, ${since(begunAt)}`)
  }
  return 0
}

async function status(place: Place): Promise<number> {
  const state = stateOf(readRecord(place))
  if (state !== 'running') {
    console.log(
      {
        none: 'there is no cluster',
        starting: 'a cluster is being started',
        dead: 'the cluster was killed: pnpm cluster down clears up',
      }[state],
    )
    return 1
  }
  console.log(`the shop: ${DOOR}\n`)
  const kubectl = kubectlAt(place)
  await kubectl.inTerminal('get', 'deployments,scaledobjects', `--namespace=${NAMESPACE}`)
  console.log()
  return kubectl.inTerminal('get', 'pods', '--all-namespaces')
}

async function logs(place: Place, name = ''): Promise<number> {
  const file = join(place.logs, `${name}.log`)
  if (existsSync(file)) {
    process.stdout.write(readFileSync(file))
    return 0
  }
  return serviceLogs(kubectlAt(place), name)
}

async function restart(place: Place, name = ''): Promise<number> {
  const part = PARTS.find((one) => one === name)
  if (part === undefined) {
    console.error(`pnpm cluster restart ${PARTS.join(' | ')}`)
    return 1
  }
  await killPart(place, part)
  startPart(place, part)
  console.log(`${part} was killed and starts again; what it says: pnpm cluster logs ${part}`)
  return 0
}

/** What a cluster that runs can be given, and what is said when it has it. */
const ADD_ONS = {
  'http-add-on': {
    steps: addSteps,
    add: addHttpAddOn,
    remove: (place: Place, signal: AbortSignal) =>
      removeHttpAddOn(place, { env: process.env, report: console.log, signal }),
    told: `
  Now:  pnpm cluster kubectl delete scaledobject storefront --namespace=${NAMESPACE}
        pnpm cluster kubectl apply --server-side --filename keda/as-published/storefront.yaml
  Ask:  service ${INTERCEPTOR.service} of namespace ${INTERCEPTOR.namespace}, port ${INTERCEPTOR.port}, with the host that is named there
`,
  },
  'network-policies': {
    steps: policySteps,
    add: addNetworkPolicies,
    remove: removeNetworkPolicies,
    told: `
  Now:  pnpm cluster kubectl apply --namespace=${NAMESPACE} --filename k8s/overlays/production/network-policy.yaml
`,
  },
  node: {
    steps: nodeSteps,
    add: addNode,
    remove: removeNode,
    told: `
  Now:  pnpm cluster kubectl rollout restart deployment --namespace=${NAMESPACE}
        pnpm cluster kubectl drain ${SECOND_NODE.name} --delete-emptydir-data
`,
  },
}

async function add(place: Place, name = ''): Promise<number> {
  const addOn = addOnNamed(name)
  if (addOn === null) return 1
  const signal = untilStopped()
  await withProgress(addOn.steps, (report) => addOn.add(place, { env: process.env, report, signal }))
  console.log(addOn.told)
  return 0
}

async function remove(place: Place, name = ''): Promise<number> {
  const addOn = addOnNamed(name)
  if (addOn === null) return 1
  await addOn.remove(place, untilStopped())
  return 0
}

function addOnNamed(name: string): (typeof ADD_ONS)[keyof typeof ADD_ONS] | null {
  if (Object.hasOwn(ADD_ONS, name)) return ADD_ONS[name as keyof typeof ADD_ONS]
  console.error(`pnpm cluster add | remove ${Object.keys(ADD_ONS).join(' | ')}`)
  return null
}

/** Aborted when this process is told to end. */
function untilStopped(): AbortSignal {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())
  return stopping.signal
}

/** What a start says that failed. */
function explain(error: Error): void {
  console.error(error.message)
  if (error instanceof AlreadyUp || error instanceof Lacking) return
  if (error instanceof NotStarted) {
    const file = join(placeOf(process.env).logs, `${error.process}.log`)
    const lines = existsSync(file) ? lastWords(readFileSync(file, 'utf8').split('\n'), LOG_LINES) : []
    console.error(`The last lines of ${file}:\n${lines.map((line) => `  ${line}`).join('\n')}`)
  }
}

process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
  explain(error)
  return 1
})
