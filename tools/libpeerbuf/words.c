// SPDX-License-Identifier: MIT
/* Routes and reasons in words: a name, a sentence, and what one can do. */
#include <errno.h>
#include <string.h>

#include "internal.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct words {
	const char *name;
	const char *text;
	const char *hint;
};

static const struct words unknown = {
	.name = "unknown",
	.text = "The kernel answers what this library does not know.",
	.hint = "Update libpeerbuf to the version of the kernel modules.",
};

static const struct words routes[] = {
	[PEERBUF_ROUTE_NONE] = {
		.name = "none",
		.text = "The importer cannot reach the provider.",
	},
	[PEERBUF_ROUTE_BUS] = {
		.name = "bus",
		.text = "The importer reaches the provider below one bridge, by PCI bus address.",
	},
	[PEERBUF_ROUTE_HOST] = {
		.name = "host",
		.text = "The importer reaches the provider across the host bridge.",
	},
};

static const struct words reasons[] = {
	[PEERBUF_REASON_SAME_FUNCTION] = {
		.name = "same-function",
		.text = "The provider and the importer are one function.",
		.hint = "Nothing to do.",
	},
	[PEERBUF_REASON_COMMON_BRIDGE] = {
		.name = "common-bridge",
		.text = "Both are below one bridge; no port between them redirects requests.",
		.hint = "Nothing to do: this is the shortest way.",
	},
	[PEERBUF_REASON_ACS_REDIRECT] = {
		.name = "acs-redirect",
		.text = "A port between the two sends requests up to the host bridge (ACS).",
		.hint =
			"Boot with pci=config_acs=x0x00xx@PORT (before Linux 6.12: pci=disable_acs_redir=PORT); devices below then reach each other past the IOMMU.",
	},
	[PEERBUF_REASON_HOST_TRUSTED] = {
		.name = "host-trusted",
		.text = "The way crosses a host bridge that is known to forward it.",
		.hint =
			"Nothing to do; one PCIe switch above both devices would make the way shorter.",
	},
	[PEERBUF_REASON_HOST_UNTRUSTED] = {
		.name = "host-untrusted",
		.text = "The way crosses a host bridge that is not known to forward it.",
		.hint =
			"Put both devices below one PCIe switch, or load peerbuf with trusted_bridges=HOST; if that bridge does not forward after all, DMA is lost.",
	},
	[PEERBUF_REASON_NOT_PCI] = {
		.name = "not-pci",
		.text = "The importer has no PCI function above it.",
		.hint = "Use an importer that is a PCI device, or part of one.",
	},
	[PEERBUF_REASON_DMA_MASK] = {
		.name = "dma-mask",
		.text = "The importer cannot express the provider's address.",
		.hint =
			"Have the firmware place the BAR lower (BIOS: Above 4G Decoding off, which leaves less room for BARs), or use an importer with a wider DMA mask.",
	},
	[PEERBUF_REASON_NOT_REVOCABLE] = {
		.name = "not-revocable",
		.text = "The importer cannot give a mapping back, and the export asks for that.",
		.hint =
			"Export with --allow-pinned (PEERBUF_EXPORT_ALLOW_PINNED): a revoke then waits for it.",
	},
	[PEERBUF_REASON_STATIC] = {
		.name = "static",
		.text = "The importer attached without agreeing to peer-to-peer memory.",
		.hint =
			"Use an importer that attaches dynamically, or export with --allow-static once root has allowed it for the window; a revoke then waits for it.",
	},
	[PEERBUF_REASON_DIRECT_REQUIRED] = {
		.name = "direct-required",
		.text = "The export asks for a bus route, and there is only a host route.",
		.hint =
			"Put both devices below one PCIe switch, or export without --direct (PEERBUF_EXPORT_DIRECT): traffic then crosses the host bridge.",
	},
	[PEERBUF_REASON_REVOKED] = {
		.name = "revoked",
		.text = "The buffer was revoked.",
		.hint = "Ask the provider's owner for a new buffer.",
	},
	[PEERBUF_REASON_READ_ONLY] = {
		.name = "read-only",
		.text = "The importer asked to write to a buffer that is lent for reading.",
		.hint =
			"Import it for reading (DMA_TO_DEVICE), or export it without --read-only (PEERBUF_EXPORT_READ_ONLY).",
	},
	[PEERBUF_REASON_PROVIDER_GONE] = {
		.name = "provider-gone",
		.text = "The provider was unbound or unplugged.",
		.hint = "Bind it again (peerbuf bind FUNCTION) and export a new buffer.",
	},
	[PEERBUF_REASON_STOPPED] = {
		.name = "stopped",
		.text = "The provider is being reset, or its memory does not answer.",
		.hint = "Try again when it is over; PEERBUF_IOC_WATCH tells when.",
	},
};

/* The one reason that goes with two routes; this is for the host route. */
static const struct words acs_host = {
	.hint =
		"Works, the longer way. For the shorter, boot with pci=config_acs=x0x00xx@PORT (before Linux 6.12: pci=disable_acs_redir=PORT); devices below then reach each other past the IOMMU.",
};

static const struct words states[] = {
	[PEERBUF_STATE_IN_USE] = { .name = "in use" },
	[PEERBUF_STATE_STOPPED] = { .name = "stopped" },
	[PEERBUF_STATE_REVOKED] = { .name = "revoked" },
};

static const char * const verdict_flags[] = {
	"iommu", "blocker", "kernel", "disagrees", "admin",
};

static const char * const pool_flags[] = {
	"read-only", "no-static", "no-pinned", "direct", "revoked",
};

static const char * const port_types[] = {
	[0x0] = "endpoint",
	[0x1] = "legacy endpoint",
	[0x4] = "root port",
	[0x5] = "switch upstream port",
	[0x6] = "switch downstream port",
	[0x7] = "PCIe to PCI bridge",
	[0x8] = "PCI to PCIe bridge",
	[0x9] = "integrated endpoint",
	[0xa] = "event collector",
};

static const char * const acs_bits[] = {
	"SV", "TB", "RR", "CR", "UF", "EC", "DT",
};

static const struct words *find(const struct words *table, size_t count, __u32 value)
{
	return value < count && table[value].name ? &table[value] : &unknown;
}

const char *peerbuf_route_name(__u32 route)
{
	return find(routes, ARRAY_SIZE(routes), route)->name;
}

const char *peerbuf_route_text(__u32 route)
{
	return find(routes, ARRAY_SIZE(routes), route)->text;
}

const char *peerbuf_state_name(__u32 state)
{
	return find(states, ARRAY_SIZE(states), state)->name;
}

const char *peerbuf_reason_name(__u32 reason)
{
	return find(reasons, ARRAY_SIZE(reasons), reason)->name;
}

const char *peerbuf_reason_text(__u32 reason)
{
	return find(reasons, ARRAY_SIZE(reasons), reason)->text;
}

const char *peerbuf_hint(__u32 route, __u32 reason)
{
	if (reason == PEERBUF_REASON_ACS_REDIRECT && route == PEERBUF_ROUTE_HOST)
		return acs_host.hint;
	return find(reasons, ARRAY_SIZE(reasons), reason)->hint;
}

static const char *flag_name(const char * const *names, size_t count, __u32 flag)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (flag == 1U << i)
			return names[i];
	}
	return unknown.name;
}

const char *peerbuf_verdict_flag_name(__u32 flag)
{
	return flag_name(verdict_flags, ARRAY_SIZE(verdict_flags), flag);
}

const char *peerbuf_pool_flag_name(__u32 flag)
{
	return flag_name(pool_flags, ARRAY_SIZE(pool_flags), flag);
}

const char *peerbuf_class_name(__u32 class_)
{
	static const char * const names[] = {
		[PEERBUF_CLASS_REVOCABLE] = "revocable",
		[PEERBUF_CLASS_PINNED] = "pinned",
		[PEERBUF_CLASS_STATIC] = "static",
	};

	return class_ < ARRAY_SIZE(names) ? names[class_] : unknown.name;
}

const char *peerbuf_port_type_name(__u8 type)
{
	if (type == PEERBUF_PORT_CONVENTIONAL)
		return "conventional PCI";
	if (type >= ARRAY_SIZE(port_types) || !port_types[type])
		return unknown.name;
	return port_types[type];
}

int peerbuf_format_acs(__u16 bits, char *text, size_t size)
{
	char all[PEERBUF_ACS_LEN] = "";
	size_t i, length = 0;

	for (i = 0; i < ARRAY_SIZE(acs_bits); i++) {
		if (!(bits & 1U << i))
			continue;
		if (length)
			all[length++] = ' ';
		memcpy(all + length, acs_bits[i], 3);
		length += 2;
	}
	if (length >= size)
		return -ENOSPC;
	memcpy(text, all, length + 1);
	return (int)length;
}
