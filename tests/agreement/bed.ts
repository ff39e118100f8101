/**
 * A tree brought to life twice: as the machine that is judged, and as the fabric that carries. Both read the same ACS
 * registers: `setAcs` writes them as software would, and the judge is given what can be read back.
 */

import { present } from 'p2pdma/core';
import { DmaEngine, Fabric, type FabricRules, IommuPort, type RootComplexBehaviour } from 'p2pdma/fabric';
import { IommuDomain, IovaAllocator } from 'p2pdma/iommu';
import type { Machine } from 'p2pdma/machine';
import { JudgeContext, POLICIES, type PolicyName } from 'p2pdma/p2p';
import { type BuiltTree, buildTree, type Hierarchy, type PciFunction, type TreeDescription } from 'p2pdma/pcie';
import { EGRESS_VECTOR, type IommuSetting } from './case.ts';
import { Eye } from './eye.ts';

/** CPU addresses of the RAM of every bed. */
export const RAM = { start: 0, end: 0x4000_0000 };

export interface BedOptions {
  readonly iommu?: IommuSetting;
  readonly rootComplex?: RootComplexBehaviour;
  readonly rules?: Partial<FabricRules>;
  /** Default: none, so that the allow-list decides. */
  readonly cpu?: Machine['cpu'];
}

export class Bed {
  readonly tree: BuiltTree;
  readonly machine: Machine;
  readonly fabric: Fabric;
  readonly iommu: IommuSetting;
  readonly eye: Eye;
  readonly #domains = new Map<number, IommuDomain>();
  readonly #engines = new Map<number, DmaEngine>();
  readonly #contexts = new Map<PolicyName, JudgeContext>();

  constructor(description: TreeDescription, options: BedOptions = {}) {
    this.tree = buildTree(description);
    this.iommu = options.iommu ?? 'off';
    this.machine = {
      source: 'described',
      hierarchy: this.tree.hierarchy,
      ram: [RAM],
      iomem: [],
      cpu: options.cpu ?? null,
      kernel: null,
      cmdline: null,
      iommuGroupTypes: new Map(),
      notes: [],
    };
    this.fabric = new Fabric({
      hierarchy: this.hierarchy,
      ram: [RAM],
      rootComplex: options.rootComplex ?? 'forward',
      iommu:
        this.iommu === 'off' ? null : new IommuPort({ otherwise: this.iommu === 'on' ? 'blocked' : 'passthrough' }),
      rules: options.rules ?? {},
    });
    this.eye = new Eye(this.fabric);
  }

  get hierarchy(): Hierarchy {
    return this.tree.hierarchy;
  }

  /** Index of a node of the description. */
  index(name: string): number {
    const bdf = this.tree.names.get(name);
    return bdf === undefined ? -1 : this.hierarchy.indexOf(bdf);
  }

  /** The function with its registers as they stand. */
  fn(index: number): PciFunction {
    return present(this.hierarchy.functions[index], `function ${index}`);
  }

  /** Writes ACS Control and the egress control vector of a function. Those that a capability does not offer stay 0. */
  setAcs(index: number, word: number): void {
    const live = this.fabric.function(index);
    const { acs } = live.registers;
    const vector = word & EGRESS_VECTOR ? 0xffffffff : 0;
    if (live.readConfig(acs + 8, 4) !== vector) live.writeConfig(acs + 8, 4, vector);
    live.setAcsControl(word & 0x7f);
    // ACS does not shape the tree, so the tree stays and the function in it is replaced.
    (this.hierarchy.functions as PciFunction[])[index] = live.fn;
    this.#contexts.clear();
  }

  /** The machine as a policy sees it now. */
  judge(policy: PolicyName): JudgeContext {
    let context = this.#contexts.get(policy);
    if (context === undefined) {
      context = new JudgeContext(this.machine, POLICIES[policy]);
      this.#contexts.set(policy, context);
    }
    return context;
  }

  /** The domain of a function, made on first use and known to the IOMMU. Only where the IOMMU is on. */
  domain(index: number, reserved: { readonly start: number; readonly end: number }[] = []): IommuDomain {
    let domain = this.#domains.get(index);
    if (domain === undefined) {
      domain = new IommuDomain({ allocator: new IovaAllocator({ reserved }) });
      this.#domains.set(index, domain);
      present(this.fabric.iommu, 'an IOMMU').attach(this.fn(index).key, domain);
    }
    return domain;
  }

  /** The DMA engine of a function. */
  engine(index: number): DmaEngine {
    let engine = this.#engines.get(index);
    if (engine === undefined) {
      engine = new DmaEngine(this.fabric, index);
      this.#engines.set(index, engine);
    }
    return engine;
  }
}
