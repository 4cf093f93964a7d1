export const block = 64 * 1024
export const blocks = 16

/** What each disk holds, a byte for each block: the same on all disks. */
export class FaultModel {
  primary = Array<number>(blocks).fill(0)
  checkpoint = Array<number>(blocks).fill(0)
  /** What the secondary's own guest wrote since. */
  own = new Map<number, number>()

  committed(): void {
    this.checkpoint = [...this.primary]
    this.own.clear()
  }

  /** What the secondary's disks must hold once it has taken over. */
  get taken(): number[] {
    return this.checkpoint.map((byte, at) => this.own.get(at) ?? byte)
  }

  /** The secondary has taken over, and holds this. */
  continuedBy(bytes: readonly number[]): void {
    this.primary = [...bytes]
    this.committed()
  }
}
