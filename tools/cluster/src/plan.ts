import type { Report } from '@tideshop/run/steps'
import type { Program } from '@tideshop/runtime/part'
import type { Binaries } from './binaries.ts'
import type { Image } from './images.ts'
import type { Manifests } from './manifests.ts'

/** What `up` found or built, for the start within the namespaces. */
export type Plan = {
  binaries: Binaries
  kafka: Program
  mongodb: Program
  cni: string
  platformImages: Image[]
  shopImages: Image[]
  manifests: Manifests
}

/** As `report` names them. */
export const insideSteps = [
  'Kafka',
  'MongoDB server',
  'topics',
  'API server',
  'containerd',
  'images of the platform',
  'node',
  'names',
  'Dapr',
  'KEDA',
  'Prometheus',
  'images of the shop',
  'shop',
  'front door',
]

/** What `up` hears of the start. */
export type Message = Parameters<Report> | { failed: string; process?: string | undefined }
