import { kubectlAt } from '@tideshop/cluster/kubectl'
import { NAMESPACE, placeOf } from '@tideshop/cluster/place'

/** How long an invoice is worked at, in milliseconds, until the shop is applied again. */
export async function setInvoiceWork(ms: number): Promise<void> {
  const env = ['deployment/invoices', `INVOICE_WORK_MS=${ms}`]
  await kubectlAt(placeOf(process.env)).run('set', 'env', `--namespace=${NAMESPACE}`, ...env)
}
