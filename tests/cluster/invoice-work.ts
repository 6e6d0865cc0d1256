import { kubectlAt } from '@tideshop/cluster/kubectl'
import { NAMESPACE, placeOf } from '@tideshop/cluster/place'

/** What each test of the cluster finds: the 5 s that system B's jobs take, as k8s/base has it. */
const PUBLISHED_MS = 5000

/** How long an invoice is worked at, in milliseconds, until it is set again; by itself as published. */
export async function setInvoiceWork(ms = PUBLISHED_MS): Promise<void> {
  const env = ['deployment/invoices', `INVOICE_WORK_MS=${ms}`]
  await kubectlAt(placeOf(process.env)).run('set', 'env', `--namespace=${NAMESPACE}`, ...env)
}
