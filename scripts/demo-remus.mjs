// Keeps a guest under Remus for scripts/demo-remus.sh: node scripts/demo-remus.mjs QMP NBD CONTROL
import { parseDisk, resolveDisk } from 'xenlight'
import { setUpCheckpoints } from 'xenlight/checkpoint'
import { connectDiskControl } from 'xenlight/protocol-d'
import { connectQmp } from 'xenlight/qmp'
import { protocolDKind, qemuGuest, RemusSession } from 'xenlight/remus'

const [path, nbd, control] = process.argv.slice(2)
const environment = { domid: 1, domainType: 'hvm', target: 'file', domidOf: () => undefined }
const disk = resolveDisk(parseDisk(`vdev=hda,target=nbd+unix:///disk?socket=${nbd}`), environment)
const kind = protocolDKind({ connect: () => connectDiskControl(control) })
const devices = await setUpCheckpoints([disk], [kind], { nameOf: ({ vdev }) => vdev, timeout: 5000 })
const qmp = await connectQmp({ path })
const session = new RemusSession({ devices, hooks: qemuGuest(qmp), interval: 50, stepTimeout: 5000 })
const over = session.start()
for await (const { epoch } of session.epochs) if (epoch % 20 === 0) console.log(`${epoch} epochs are committed`)
const { reason, committed, guest } = await over
console.log(`the session ended (${reason}) after ${committed} epochs; the guest: ${guest}`)
