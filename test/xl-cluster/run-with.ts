import { run } from '#xenlight/xl-cluster/run.js'
import { FakeIo, type Outcome, type World } from '../xl-colo/fake-io.js'

/** Runs the whole command on a made-up process; files and programs are real. */
export async function runWith(args: readonly string[], world: World = {}): Promise<Outcome> {
  const io = new FakeIo(args, world)
  const status = await run(io)
  return { status, stdout: io.written[1], stderr: io.written[2] }
}
