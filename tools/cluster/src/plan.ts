import { readFileSync } from 'node:fs'
import { RABBITMQ_STEP } from '@tideshop/run/rabbitmq'
import type { Report } from '@tideshop/run/steps'
import type { Program } from '@tideshop/runtime/part'
import type { Binaries } from './binaries.ts'
import type { Image } from './images.ts'
import type { Manifests } from './manifests.ts'
import type { Place } from './place.ts'

/** What `up` found or built, for the start within the namespaces. */
export type Plan = {
  binaries: Binaries
  kafka: Program
  mongodb: Program
  /** null where it is not installed; then `closed` says who stays away, and why. */
  rabbitmq: Program | null
  closed: string[]
  cni: string
  platformImages: Image[]
  shopImages: Image[]
  manifests: Manifests
}

/** Of the cluster that runs. */
export function planAt({ plan }: Place): Plan {
  return JSON.parse(readFileSync(plan, 'utf8')) as Plan
}

/** As `report` names them. */
export const insideSteps = [
  'Kafka',
  'MongoDB server',
  'topics',
  RABBITMQ_STEP,
  'API server',
  'containerd',
  'images of the platform',
  'node',
  'names',
  'Dapr',
  'KEDA',
  'metrics-server',
  'Prometheus',
  'images of the shop',
  'shop',
  'front door',
]

/** What `up` hears of the start. */
export type Message = Parameters<Report> | { failed: string; process?: string | undefined }
