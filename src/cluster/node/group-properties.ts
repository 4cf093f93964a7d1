import { forceOf, promotionOf, propertyOf } from '../actions.js'
import type { ClusterManager } from '../cluster-manager.js'
import type { GroupFacts } from '../group-promotion.js'

/** What the cluster keeps of a group, in its properties and in its constraint. */
export class GroupProperties {
  readonly #cluster: ClusterManager
  readonly #instance: string
  #known: Promise<GroupFacts> | undefined

  constructor(cluster: ClusterManager, instance: string) {
    this.#cluster = cluster
    this.#instance = instance
  }

  /** Asked once in an action: each question is a process. */
  facts(): Promise<GroupFacts> {
    this.#known ??= this.#ask()
    return this.#known
  }

  async #ask(): Promise<GroupFacts> {
    return {
      number: promotionOf(await this.#cluster.property(propertyOf(this.#instance))),
      clean: await this.#cluster.property(this.#named('clean')),
      epoch: promotionOf(await this.#cluster.property(this.#named('epoch'))),
    }
  }

  setClean(checkpoint: string | undefined): Promise<void> {
    return this.#set('clean', checkpoint)
  }

  setEpoch(epoch: number | undefined): Promise<void> {
    return this.#set('epoch', epoch === undefined ? undefined : `${epoch}`)
  }

  /** For people: what a promotion without an operator's word may have lost. */
  setLost(text: string): Promise<void> {
    return this.#set('lost', text)
  }

  /** Whether an operator's word waits for its promotion. */
  async isForced(): Promise<boolean> {
    return (await this.#cluster.property(forceOf(this.#instance))) !== undefined
  }

  only(): Promise<string | undefined> {
    return this.#cluster.onlyPromotable(this.#instance)
  }

  setOnly(node: string | undefined): Promise<void> {
    return this.#cluster.setOnlyPromotable(this.#instance, node)
  }

  /** One that is not there is not taken away. */
  async #set(name: string, value: string | undefined): Promise<void> {
    const property = this.#named(name)
    this.#known = undefined
    if ((await this.#cluster.property(property)) !== value) await this.#cluster.setProperty(property, value)
  }

  #named(name: string): string {
    return `xenlight-${this.#instance}-${name}`
  }
}
