import { FakeIo } from '../xl-colo/fake-io.js'

/** A process that is interrupted when the test says so. */
export class InterruptedIo extends FakeIo {
  interrupt = (_: NodeJS.Signals) => {}

  override onSignal(listener: (signal: NodeJS.Signals) => void): Disposable {
    this.interrupt = listener
    return { [Symbol.dispose]: () => {} }
  }
}
