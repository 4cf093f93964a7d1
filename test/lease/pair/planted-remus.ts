// `xl-remus` with a mistake: PLANT says which one.

import { ProcessIo } from '#xenlight/command-line/process-io.js'
import { EtcdCatalogue } from '#xenlight/lease/etcd/etcd-catalogue.js'
import { LeaseKeeper } from '#xenlight/lease/lease-keeper.js'
import { run } from '#xenlight/xl-remus/run.js'

const { get } = EtcdCatalogue.prototype

const plants: Readonly<Record<string, () => void>> = {
  // a timer says that the lease is over, and no clock is asked
  'a timer is believed': () => {
    LeaseKeeper.prototype.isHeld = function (this: LeaseKeeper) {
      return !this.signal.aborted
    }
  },
  'the record is not believed': () => {
    EtcdCatalogue.prototype.get = async function (this: EtcdCatalogue, ...asked) {
      const found = await get.apply(this, asked)
      return found && { ...found, value: { ...(found.value as object), alone: null, state: 'equal' } }
    }
  },
}

const { PLANT = '' } = process.env
plants[PLANT]!()
run(new ProcessIo()).then(status => process.exit(status))
