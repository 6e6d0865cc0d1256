import { placeOf } from '@tideshop/cluster/place'
import { KubeApi } from '@tideshop/load/cluster/api'
import { readKubeconfig } from '@tideshop/load/cluster/kubeconfig'

/** Not by kubectl: twenty of its processes for each look took four seconds of a processor, and starved what was looked at. */
let api: KubeApi | null = null

/** Of the machine's one cluster. */
export function clusterApi(): KubeApi {
  api ??= new KubeApi(readKubeconfig(placeOf(process.env).kubeconfig))
  return api
}
