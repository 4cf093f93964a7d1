// What real-xen.faults.ts runs in dom0 of a real Xen; its standard output is TAP.
import './xenbus-device.js'
import './attach-disks.js'
import './qdisk-backend.js'
import './kept-disks.js'
