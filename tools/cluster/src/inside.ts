import { RABBITMQ_STEP } from '@tideshop/run/rabbitmq'
import { Steps } from '@tideshop/run/steps'
import { ensureTopics } from '@tideshop/run/topics'
import { KAFKA, startKafka, startMongodb, startRabbitmq } from './backbone.ts'
import { makeCertificates } from './certificates.ts'
import { type Parts, startApi, startControllers, startDns } from './control-plane.ts'
import { ownKubectl } from './kubectl.ts'
import { COREDNS_MANIFEST } from './manifests.ts'
import { giveImages, startContainerd, startNode } from './node.ts'
import { type Place, placeOf } from './place.ts'
import { type Message, type Plan, planAt } from './plan.ts'
import { installDapr, installKeda, installMetricsServer, startPrometheus } from './platform.ts'
import { installShop, untilOpen } from './shop.ts'

/*
 * The start of a cluster, run within its namespaces by `up`, which hears of each step. What it starts stays when it ends.
 */

async function start(place: Place, plan: Plan, steps: Steps): Promise<void> {
  const { binaries, manifests } = plan
  const certificates = await makeCertificates(place.certificates)
  const kubectl = ownKubectl(binaries.kubelite, place)
  const parts: Parts = { place, kubelite: binaries.kubelite, kubectl, certificates }
  const backbone = startBackbone(place, plan, steps)
  const cluster = startCluster(parts, plan, steps)
  const shopImages = cluster.then(() => steps.take('images of the shop', () => giveImages(plan.shopImages)))
  const platform = cluster.then(() =>
    Promise.all([
      steps.take('Dapr', () => installDapr(kubectl, manifests, certificates.dapr)),
      steps.take('KEDA', () => installKeda(kubectl, manifests)),
      steps.take('metrics-server', () => installMetricsServer(kubectl, manifests)),
      steps.take('Prometheus', () => startPrometheus(parts, binaries.prometheus)),
    ]),
  )
  await Promise.all([backbone, platform, shopImages])
  await steps.take('shop', () => installShop(kubectl, plan))
  await steps.take('front door', () => untilOpen())
}

async function startBackbone(place: Place, { kafka, mongodb, rabbitmq }: Plan, steps: Steps): Promise<void> {
  await Promise.all([
    steps
      .take('Kafka', () => startKafka(place, kafka))
      .then(() => steps.take('topics', () => ensureTopics(KAFKA))),
    steps.take('MongoDB server', () => startMongodb(place, mongodb)),
    rabbitmq && steps.take(RABBITMQ_STEP, () => startRabbitmq(place, rabbitmq)),
  ])
}

/** An empty cluster that places pods and knows names. */
async function startCluster(parts: Parts, plan: Plan, steps: Steps): Promise<void> {
  await Promise.all([
    steps.take('API server', async () => {
      await startApi(parts)
      await startControllers(parts)
    }),
    steps
      .take('containerd', () => startContainerd(parts.place, plan.cni))
      .then(() => steps.take('images of the platform', () => giveImages(plan.platformImages))),
  ])
  await steps.take('node', () => startNode(parts))
  await steps.take('names', () => startDns(parts, COREDNS_MANIFEST))
}

function tell(message: Message): void {
  process.send?.(message)
}

const place = placeOf(process.env)
const plan = planAt(place)
try {
  await start(place, plan, new Steps((...step) => tell(step), undefined))
} catch (error) {
  const { message, process: name } = error as Error & { process?: string }
  tell({ failed: message, process: name })
  process.exitCode = 1
}
process.disconnect?.()
