/** Offsets of the standard header. PCIe Base Specification, 7.5.1 (common), 7.5.1.2 (type 0), 7.5.1.3 (type 1). */

export const VENDOR_ID = 0x00;
export const DEVICE_ID = 0x02;
export const COMMAND = 0x04;
export const STATUS = 0x06;
export const REVISION_ID = 0x08;
export const CLASS_CODE = 0x09;
export const HEADER_TYPE = 0x0e;
export const BAR0 = 0x10;
/** Type 1: primary, secondary and subordinate bus number, one byte each. */
export const PRIMARY_BUS = 0x18;
export const SECONDARY_BUS = 0x19;
export const SUBORDINATE_BUS = 0x1a;
export const IO_BASE = 0x1c;
export const MEMORY_BASE = 0x20;
export const PREFETCHABLE_BASE = 0x24;
export const PREFETCHABLE_BASE_UPPER = 0x28;
export const PREFETCHABLE_LIMIT_UPPER = 0x2c;
export const IO_BASE_UPPER = 0x30;
export const CAPABILITIES_POINTER = 0x34;
export const CARDBUS_CAPABILITIES_POINTER = 0x14;

/** Command register bits. PCIe 7.5.1.1.3. */
export const COMMAND_MEMORY_SPACE = 0x0002;
export const COMMAND_BUS_MASTER = 0x0004;
/** Status register bit 4: a capability list is there. PCIe 7.5.1.1.4. */
export const STATUS_CAPABILITIES_LIST = 0x0010;

/** Base and sub-class codes that this project asks about. PCI Code and ID Assignment Specification. */
export const CLASS_HOST_BRIDGE = 0x0600;
export const CLASS_PCI_BRIDGE = 0x0604;
export const CLASS_NVM_EXPRESS = 0x0108;
