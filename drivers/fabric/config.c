// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config space of the functions: an array of registers for each, and a mask of
 * the bits that a write changes. There is no device behind it, so nothing is
 * ever reported in a status register, and write-one-to-clear bits stay zero.
 */
#include <linux/array_size.h>
#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/pci.h>

#include "fabric.h"

/**
 * struct reg - the part of a register that a kind of function has
 * @where: its offset, of 32 bits
 * @value: what it reads as, at first
 * @writable: bits that a write changes
 */
struct reg {
	u16 where;
	u32 value;
	u32 writable;
};

#define COMMAND_BITS	(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | \
			 PCI_COMMAND_PARITY | PCI_COMMAND_SERR | \
			 PCI_COMMAND_INTX_DISABLE)
#define BRIDGE_BITS	(PCI_BRIDGE_CTL_PARITY | PCI_BRIDGE_CTL_SERR | \
			 PCI_BRIDGE_CTL_BUS_RESET)

/* Bits 31:20 of an address, as base and limit registers have them */
#define WINDOW_BITS	0xfff0fff0
/* Base above limit: nothing is forwarded */
#define WINDOW_OFF	0x0000fff0

static const struct reg common_regs[] = {
	{ PCI_COMMAND, 0, COMMAND_BITS },
	{ PCI_CACHE_LINE_SIZE, 0, 0xff },
	{ PCI_INTERRUPT_LINE, 0, 0xff },
};

static const struct reg port_regs[] = {
	{ PCI_CACHE_LINE_SIZE, PCI_HEADER_TYPE_BRIDGE << 16, 0 },
	{ PCI_PRIMARY_BUS, 0, 0xffffff },
	{ PCI_MEMORY_BASE, WINDOW_OFF, WINDOW_BITS },
	{ PCI_PREF_MEMORY_BASE,
	  WINDOW_OFF | PCI_PREF_RANGE_TYPE_64 << 16 | PCI_PREF_RANGE_TYPE_64,
	  WINDOW_BITS },
	{ PCI_PREF_BASE_UPPER32, 0, U32_MAX },
	{ PCI_PREF_LIMIT_UPPER32, 0, U32_MAX },
	{ PCI_INTERRUPT_LINE, 0, BRIDGE_BITS << 16 },
};

#define EXP(offset)	(FABRIC_PCIE_CAP + (offset))

static const struct reg pcie_regs[] = {
	{ PCI_COMMAND, PCI_STATUS_CAP_LIST << 16, 0 },
	{ PCI_CAPABILITY_LIST, FABRIC_PCIE_CAP, 0 },
	{ EXP(0), PCI_CAP_ID_EXP | 2 << 16, 0 },
	{ EXP(PCI_EXP_DEVCAP), PCI_EXP_DEVCAP_RBER, 0 },
	{ EXP(PCI_EXP_DEVCTL), PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN,
	  0x7fff },
};

/* In the same place of the capability and the status register */
#define LINK_WIDTH	FIELD_PREP_CONST(PCI_EXP_LNKCAP_MLW, 16)

/* A link of 16 lanes at 16 GT/s, that is up */
static const struct reg link_regs[] = {
	{ EXP(PCI_EXP_LNKCAP),
	  PCI_EXP_LNKCAP_SLS_16_0GB | LINK_WIDTH, 0 },
	{ EXP(PCI_EXP_LNKCTL),
	  (PCI_EXP_LNKSTA_CLS_16_0GB | LINK_WIDTH) << 16,
	  PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES },
	{ EXP(PCI_EXP_LNKCAP2),
	  PCI_EXP_LNKCAP2_SLS_2_5GB | PCI_EXP_LNKCAP2_SLS_5_0GB |
	  PCI_EXP_LNKCAP2_SLS_8_0GB | PCI_EXP_LNKCAP2_SLS_16_0GB, 0 },
	{ EXP(PCI_EXP_LNKCTL2), PCI_EXP_LNKCTL2_TLS_16_0GT,
	  PCI_EXP_LNKCTL2_TLS },
};

static const struct reg root_regs[] = {
	{ EXP(PCI_EXP_RTCTL), 0,
	  PCI_EXP_RTCTL_SECEE | PCI_EXP_RTCTL_SENFEE | PCI_EXP_RTCTL_SEFEE },
};

static const u8 pcie_types[] = {
	[FABRIC_ROOT_PORT] = PCI_EXP_TYPE_ROOT_PORT,
	[FABRIC_UPSTREAM] = PCI_EXP_TYPE_UPSTREAM,
	[FABRIC_DOWNSTREAM] = PCI_EXP_TYPE_DOWNSTREAM,
	[FABRIC_ENDPOINT] = PCI_EXP_TYPE_ENDPOINT,
	[FABRIC_INTEGRATED] = PCI_EXP_TYPE_RC_END,
};

static void add_reg(struct fabric_function *function, u16 where, u32 value,
		    u32 writable)
{
	function->value[where / 4] |= value;
	function->writable[where / 4] |= writable;
}

static void add_regs(struct fabric_function *function, const struct reg *regs,
		     size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		add_reg(function, regs[i].where, regs[i].value,
			regs[i].writable);
}

static void add_identity(struct fabric_function *function)
{
	add_reg(function, PCI_VENDOR_ID,
		function->vendor | (u32)function->device << 16, 0);
	add_reg(function, PCI_CLASS_REVISION, function->class << 8, 0);
	if (fabric_is_multifunction(function))
		add_reg(function, PCI_CACHE_LINE_SIZE,
			PCI_HEADER_TYPE_MFD << 16, 0);
}

/* Address bits below the size are hardwired to zero: that is how it is told. */
static void add_bar(struct fabric_function *function, int nr)
{
	const struct fabric_bar *bar = &function->bars[nr];
	u16 where = PCI_BASE_ADDRESS_0 + nr * 4;
	u64 address = ~(bar->size - 1);
	u32 flags = 0;

	if (!bar->size)
		return;

	if (bar->prefetch)
		flags |= PCI_BASE_ADDRESS_MEM_PREFETCH;
	if (bar->wide) {
		flags |= PCI_BASE_ADDRESS_MEM_TYPE_64;
		add_reg(function, where + 4, 0, upper_32_bits(address));
	}
	add_reg(function, where, flags, lower_32_bits(address));
}

static void add_pcie(struct fabric_function *function)
{
	add_regs(function, pcie_regs, ARRAY_SIZE(pcie_regs));
	add_reg(function, EXP(0),
		FIELD_PREP(PCI_EXP_FLAGS_TYPE,
			   pcie_types[function->kind]) << 16, 0);
	if (function->kind != FABRIC_INTEGRATED)
		add_regs(function, link_regs, ARRAY_SIZE(link_regs));
	if (function->kind == FABRIC_ROOT_PORT)
		add_regs(function, root_regs, ARRAY_SIZE(root_regs));
	if (function->kind == FABRIC_ROOT_PORT ||
	    function->kind == FABRIC_DOWNSTREAM)
		add_reg(function, EXP(PCI_EXP_LNKCAP),
			FIELD_PREP(PCI_EXP_LNKCAP_PN,
				   PCI_SLOT(function->devfn)), 0);
}

/* A bit of the control register is there if the capability is. */
static void add_acs(struct fabric_function *function)
{
	add_reg(function, FABRIC_ACS_CAP, PCI_EXT_CAP_ID_ACS | 1 << 16, 0);
	add_reg(function, FABRIC_ACS_CAP + PCI_ACS_CAP,
		function->acs_cap | (u32)function->acs_ctrl << 16,
		(u32)function->acs_cap << 16);
}

static void add_port(struct fabric_function *function)
{
	add_regs(function, port_regs, ARRAY_SIZE(port_regs));
	add_reg(function, PCI_PRIMARY_BUS,
		FIELD_PREP(PCI_PRIMARY_BUS_MASK, function->bus) |
		FIELD_PREP(PCI_SECONDARY_BUS_MASK, function->secondary) |
		FIELD_PREP(PCI_SUBORDINATE_BUS_MASK, function->subordinate), 0);
	function->host->owners[function->secondary] = function;
}

/**
 * fabric_config_init() - fill in config space from the description
 * @function: its place and bus numbers are settled; nobody knows it yet
 */
void fabric_config_init(struct fabric_function *function)
{
	int nr;

	add_identity(function);
	add_regs(function, common_regs, ARRAY_SIZE(common_regs));
	for (nr = 0; nr < PCI_STD_NUM_BARS; nr++)
		add_bar(function, nr);
	if (fabric_is_port(function))
		add_port(function);
	if (function->kind != FABRIC_HOST_FUNCTION)
		add_pcie(function);
	if (function->has_acs)
		add_acs(function);
}

/**
 * fabric_host_of() - the host bridge above a bus
 * @bus: any bus of the system
 *
 * Return: the host bridge, or NULL if the bus is not ours.
 */
struct fabric_host *fabric_host_of(struct pci_bus *bus)
{
	if (bus->ops != &fabric_config_ops)
		return NULL;

	return container_of_const((struct pci_sysdata *)bus->sysdata,
				  struct fabric_host, sysdata);
}

/**
 * fabric_config_find() - who answers to an address
 * @host: the host bridge
 * @bus: number of the bus, as the ports are programmed
 * @devfn: place on the bus
 *
 * Context: under the host's lock.
 *
 * Return: the function or NULL.
 */
struct fabric_function *fabric_config_find(struct fabric_host *host, u8 bus,
					   u8 devfn)
{
	struct list_head *list = &host->functions;
	struct fabric_function *function;

	lockdep_assert_held(&host->lock);
	if (bus != host->bus_first) {
		if (!host->owners[bus])
			return NULL;
		list = &host->owners[bus]->children;
	}
	list_for_each_entry(function, list, node)
		if (function->devfn == devfn)
			return function->absent ? NULL : function;

	return NULL;
}

static u32 read_reg(const struct fabric_function *function, int where)
{
	if (where < FABRIC_CONFIG_SIZE)
		return function->value[where / 4] >> 8 * (where & 3);

	/* No extended config space without PCIe */
	return function->kind == FABRIC_HOST_FUNCTION ? U32_MAX : 0;
}

static int config_read(struct pci_bus *bus, unsigned int devfn, int where,
		       int size, u32 *value)
{
	struct fabric_host *host = fabric_host_of(bus);
	struct fabric_function *function;

	guard(raw_spinlock_irqsave)(&host->lock);
	host->reads++;
	function = fabric_config_find(host, bus->number, devfn);
	if (!function) {
		PCI_SET_ERROR_RESPONSE(value);
		return PCIBIOS_DEVICE_NOT_FOUND;
	}

	*value = read_reg(function, where) & GENMASK(8 * size - 1, 0);
	return PCIBIOS_SUCCESSFUL;
}

/* Config requests find their way by the secondary bus numbers of the ports. */
static void move_bus(struct fabric_function *function, u32 before)
{
	struct fabric_function **owners = function->host->owners;
	u32 now = function->value[PCI_PRIMARY_BUS / 4];
	u8 old_bus = FIELD_GET(PCI_SECONDARY_BUS_MASK, before);
	u8 new_bus = FIELD_GET(PCI_SECONDARY_BUS_MASK, now);

	if (owners[old_bus] == function)
		owners[old_bus] = NULL;
	if (new_bus)
		owners[new_bus] = function;
}

static void write_reg(struct fabric_function *function, int where, int size,
		      u32 value)
{
	unsigned int shift = 8 * (where & 3);
	u32 mask, before;

	if (where >= FABRIC_CONFIG_SIZE)
		return;

	mask = GENMASK(8 * size - 1, 0) << shift;
	mask &= function->writable[where / 4];
	before = function->value[where / 4];
	function->value[where / 4] = (before & ~mask) | (value << shift & mask);

	if (where / 4 == PCI_PRIMARY_BUS / 4 && fabric_is_port(function))
		move_bus(function, before);
}

static int config_write(struct pci_bus *bus, unsigned int devfn, int where,
			int size, u32 value)
{
	struct fabric_host *host = fabric_host_of(bus);
	struct fabric_function *function;

	guard(raw_spinlock_irqsave)(&host->lock);
	function = fabric_config_find(host, bus->number, devfn);
	if (!function)
		return PCIBIOS_DEVICE_NOT_FOUND;

	write_reg(function, where, size, value);
	return PCIBIOS_SUCCESSFUL;
}

struct pci_ops fabric_config_ops = {
	.read = config_read,
	.write = config_write,
};

/**
 * fabric_config_reads() - how often config space was read
 * @host: below which host bridge
 *
 * Return: reads since it was built.
 */
u64 fabric_config_reads(struct fabric_host *host)
{
	guard(raw_spinlock_irqsave)(&host->lock);
	return host->reads;
}

static bool is_below(const struct fabric_function *function,
		     const struct fabric_function *above)
{
	while (function && function != above)
		function = function->parent;

	return function;
}

static void set_presence(struct fabric_function *function, bool present)
{
	function->absent = !present;
	if (!present)
		return;

	memset(function->value, 0, sizeof(function->value));
	memset(function->writable, 0, sizeof(function->writable));
	fabric_config_init(function);
}

/**
 * fabric_config_set_presence() - a function goes, or comes, with all below it
 * @top: the function
 * @present: it is there from now on, as after power-on
 */
void fabric_config_set_presence(struct fabric_function *top, bool present)
{
	struct fabric_host *host = top->host;
	struct fabric_function *function;

	guard(raw_spinlock_irqsave)(&host->lock);
	for (function = top; function && is_below(function, top);
	     function = fabric_next_function(host, function))
		if (function->absent == present)
			set_presence(function, present);
}
