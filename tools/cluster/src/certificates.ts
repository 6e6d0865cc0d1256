import { execFile } from 'node:child_process'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { API_PORT, API_SERVICE, FIRST_NODE, SECOND_NODE } from './place.ts'

const DAYS = 365
/** Of who says who he is; an authority has its own. */
const SPEAKER = 'keyUsage=digitalSignature'
const SERVER_NAMES = [
  ...['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'].map((name) => `DNS:${name}`),
  ...['127.0.0.1', API_SERVICE, FIRST_NODE.address, SECOND_NODE.address].map((address) => `IP:${address}`),
]

/** Files of one certificate. */
export type Pair = { certificate: string; key: string }

/** Whom Dapr's sidecars trust, and by what its sentry vouches for them; it refuses one that vouches for itself. */
export type DaprTrust = { ca: Pair; issuer: Pair }

export type Certificates = {
  ca: Pair
  frontProxyCa: Pair
  frontProxyClient: Pair
  server: Pair
  admin: Pair
  dapr: DaprTrust
  serviceAccounts: { publicKey: string; privateKey: string }
}

/** New ones for each cluster: their keys are worth nothing when it is gone. Node can make keys, but no certificates. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const dapr = daprTrustIn(folder)
  const [ca, frontProxyCa] = await Promise.all([
    authority(folder, 'kubernetes-ca'),
    authority(folder, 'front-proxy-ca'),
    authority(folder, 'dapr-ca'),
  ])
  const [server, admin, frontProxyClient] = await Promise.all([
    // The API server also shows it to kubelets, and the kubelet shows it to the API server.
    signed(folder, ca, 'server', '/CN=kube-apiserver', [
      `subjectAltName=${SERVER_NAMES.join(',')}`,
      'extendedKeyUsage=serverAuth,clientAuth',
      SPEAKER,
    ]),
    signed(folder, ca, 'admin', '/O=system:masters/CN=admin', ['extendedKeyUsage=clientAuth', SPEAKER]),
    signed(folder, frontProxyCa, 'front-proxy-client', '/CN=front-proxy-client', [
      'extendedKeyUsage=clientAuth',
      SPEAKER,
    ]),
    signed(folder, dapr.ca, 'dapr-issuer', '/CN=dapr-issuer', [
      'basicConstraints=critical,CA:TRUE',
      'keyUsage=keyCertSign',
    ]),
  ])
  const pairs = { ca, frontProxyCa, frontProxyClient, server, admin }
  return { ...pairs, dapr, serviceAccounts: serviceAccounts(folder) }
}

/** Where `makeCertificates` puts them. */
export function daprTrustIn(folder: string): DaprTrust {
  return { ca: pairIn(folder, 'dapr-ca'), issuer: pairIn(folder, 'dapr-issuer') }
}

/** What API server and kubelets show, where `makeCertificates` puts it. */
export function serverIn(folder: string): Pair {
  return pairIn(folder, 'server')
}

/** Good on both sides: the API server's port of this machine leads to the same port of the namespace. */
export function kubeconfig({ ca, admin }: Certificates): string {
  const data = (file: string) => readFileSync(file).toString('base64')
  const user = { 'client-certificate-data': data(admin.certificate), 'client-key-data': data(admin.key) }
  const cluster = {
    server: `https://127.0.0.1:${API_PORT}`,
    'certificate-authority-data': data(ca.certificate),
  }
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'tideshop', cluster }],
    users: [{ name: 'tideshop', user }],
    contexts: [
      { name: 'tideshop', context: { cluster: 'tideshop', user: 'tideshop', namespace: 'tideshop' } },
    ],
    'current-context': 'tideshop',
  })
}

async function authority(folder: string, name: string): Promise<Pair> {
  const pair = newKey(folder, name)
  await openssl(
    ['req', '-x509', '-new', '-key', pair.key, '-subj', `/CN=${name}`, '-days', String(DAYS)],
    pair,
  )
  return pair
}

async function signed(
  folder: string,
  ca: Pair,
  name: string,
  subject: string,
  extensions: string[],
): Promise<Pair> {
  const pair = newKey(folder, name)
  const request = join(folder, `${name}.csr`)
  const extensionFile = join(folder, `${name}.ext`)
  writeFileSync(extensionFile, [...extensions, ''].join('\n'))
  await promisify(execFile)('openssl', ['req', '-new', '-key', pair.key, '-subj', subject, '-out', request])
  const serial = `0x${createHash('sha256').update(name).digest('hex').slice(0, 16)}`
  const by = ['-CA', ca.certificate, '-CAkey', ca.key, '-set_serial', serial, '-extfile', extensionFile]
  await openssl(['x509', '-req', '-in', request, ...by, '-days', String(DAYS)], pair)
  return pair
}

async function openssl(args: string[], { certificate }: Pair): Promise<void> {
  await promisify(execFile)('openssl', [...args, '-out', certificate])
}

function newKey(folder: string, name: string): Pair {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pair = pairIn(folder, name)
  writeFileSync(pair.key, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 })
  return pair
}

function pairIn(folder: string, name: string): Pair {
  return { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) }
}

function serviceAccounts(folder: string): Certificates['serviceAccounts'] {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const files = { privateKey: join(folder, 'accounts.key'), publicKey: join(folder, 'accounts.pub') }
  writeFileSync(files.privateKey, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 })
  writeFileSync(files.publicKey, publicKey.export({ type: 'spki', format: 'pem' }))
  return files
}
