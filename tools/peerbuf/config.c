// SPDX-License-Identifier: MIT
/*
 * What config space says of a function, as far as it is known. It may come from
 * anybody's dump: no byte of it is trusted.
 */
#include <linux/pci_regs.h>

#include "machine.h"

#define MAX_CAPS 48
#define MAX_EXT_CAPS 480
/* the other bits are about egress control's table */
#define ACS_ALL 0x7f

/**
 * struct config - the part of config space that is known
 * @bytes: from its start
 * @known: how many
 */
struct config {
	const __u8 *bytes;
	size_t known;
};

static bool covers(const struct config *config, size_t offset, size_t size)
{
	return offset + size <= config->known;
}

static __u16 read_word(const struct config *config, size_t offset)
{
	return (__u16)(config->bytes[offset] | config->bytes[offset + 1] << 8);
}

static __u32 read_long(const struct config *config, size_t offset)
{
	return read_word(config, offset) | (__u32)read_word(config, offset + 2) << 16;
}

/* Returns the offset of a capability, 0 if there is none. */
static size_t find_cap(const struct config *config, __u8 id)
{
	size_t at;
	int left;

	if (!(read_word(config, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	at = config->bytes[PCI_CAPABILITY_LIST] & ~3u;
	for (left = MAX_CAPS; at >= PCI_STD_HEADER_SIZEOF && left && covers(config, at, 4);
	     left--) {
		if (config->bytes[at] == id)
			return at;
		at = config->bytes[at + 1] & ~3u;
	}
	return 0;
}

/*
 * Returns the offset of an extended capability, 0 if there is none. What is known
 * may end before the list does; then @complete is cleared.
 */
static size_t find_ext_cap(const struct config *config, __u16 id, bool *complete)
{
	size_t at = PCI_CFG_SPACE_SIZE;
	__u32 header;
	int left;

	for (left = MAX_EXT_CAPS; at >= PCI_CFG_SPACE_SIZE && left; left--) {
		if (!covers(config, at, 8)) {
			*complete = false;
			return 0;
		}
		header = read_long(config, at);
		if (!header || header == 0xffffffff)
			return 0;
		if (PCI_EXT_CAP_ID(header) == id)
			return at;
		at = PCI_EXT_CAP_NEXT(header);
	}
	return 0;
}

static void read_acs(struct pci_function *function, const struct config *config)
{
	size_t at = 0;

	function->acs_known = function->type != TYPE_UNKNOWN;
	if (function->type <= PCI_EXP_FLAGS_TYPE >> 4)
		at = find_ext_cap(config, PCI_EXT_CAP_ID_ACS, &function->acs_known);
	function->acs = at;
	if (!at)
		return;
	function->acs_cap = read_word(config, at + PCI_ACS_CAP) & ACS_ALL;
	function->acs_ctrl = read_word(config, at + PCI_ACS_CTRL) & ACS_ALL;
}

static void read_type(struct pci_function *function, const struct config *config)
{
	size_t at = find_cap(config, PCI_CAP_ID_EXP);

	function->type = PEERBUF_PORT_CONVENTIONAL;
	if (at)
		function->type = (read_word(config, at + PCI_EXP_FLAGS) &
				  PCI_EXP_FLAGS_TYPE) >> 4;
	else if (config->known < PCI_CFG_SPACE_SIZE &&
		 read_word(config, PCI_STATUS) & PCI_STATUS_CAP_LIST)
		function->type = TYPE_UNKNOWN;
}

/* A dump has no sizes; that a BAR holds an address is all there is to see. */
static bool has_memory(const struct config *config, int bars)
{
	__u32 bar, high;
	int i;

	for (i = 0; i < bars; i++) {
		bar = read_long(config, PCI_BASE_ADDRESS_0 + 4 * (size_t)i);
		if (bar & PCI_BASE_ADDRESS_SPACE_IO)
			continue;
		high = 0;
		if ((bar & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64 &&
		    ++i < bars)
			high = read_long(config, PCI_BASE_ADDRESS_0 + 4 * (size_t)i);
		if ((bar & PCI_BASE_ADDRESS_MEM_MASK & ~0xfffu) || high)
			return true;
	}
	return false;
}

/**
 * config_read() - fill in what config space knows
 * @function: its address is set, all else is zero
 * @bytes: config space
 * @known: how many bytes of it are, at least 64
 *
 * A function that does not answer, all ones, may be anything.
 */
void config_read(struct pci_function *function, const __u8 *bytes, size_t known)
{
	const struct config config = { bytes, known };
	__u8 header = bytes[PCI_HEADER_TYPE] & PCI_HEADER_TYPE_MASK;

	function->known = (__u16)known;
	function->vendor = read_word(&config, PCI_VENDOR_ID);
	function->device = read_word(&config, PCI_DEVICE_ID);
	function->class = read_long(&config, PCI_CLASS_REVISION) >> 8;
	function->master = read_word(&config, PCI_COMMAND) & PCI_COMMAND_MASTER;
	if (bytes[PCI_HEADER_TYPE] == 0xff) {
		function->type = TYPE_UNKNOWN;
		function->multi = true;
		function->class = 0xff0000;
		function->master = false;
		return;
	}
	function->bridge = header == PCI_HEADER_TYPE_BRIDGE;
	function->multi = bytes[PCI_HEADER_TYPE] & 0x80;
	function->memory = has_memory(&config, header == PCI_HEADER_TYPE_NORMAL ? 6 :
					       function->bridge ? 2 : 0);
	if (function->bridge) {
		function->secondary = bytes[PCI_SECONDARY_BUS];
		function->subordinate = bytes[PCI_SUBORDINATE_BUS];
	}
	read_type(function, &config);
	read_acs(function, &config);
}
