/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Host bridges that are known to forward peer-to-peer requests. The ids are those
 * of drivers/pci/p2pdma.c in 7.3. Plain data, also for programs that answer for
 * another machine.
 */
#ifndef _PEERBUF_HOST_BRIDGE_IDS_H
#define _PEERBUF_HOST_BRIDGE_IDS_H

#include <linux/types.h>

/**
 * struct peerbuf_trusted_bridge - one id, or a range of them
 * @vendor: PCI vendor id of the function that stands for the bridge
 * @first: first PCI device id
 * @last: last PCI device id
 * @same_bridge_only: requests from and to one bridge are forwarded, others are
 *	not
 */
struct peerbuf_trusted_bridge {
	__u16 vendor;
	__u16 first;
	__u16 last;
	bool same_bridge_only;
};

static const struct peerbuf_trusted_bridge peerbuf_trusted_bridges[] = {
	/* Xeon E5, Core i7 */
	{ 0x8086, 0x3c00, 0x3c01, true },
	/* Xeon E5 v3, Xeon E7 v3, Core i7 */
	{ 0x8086, 0x2f00, 0x2f01, true },
	/* Skylake-E and later Xeon */
	{ 0x8086, 0x2030, 0x2033, false },
	{ 0x8086, 0x2020, 0x2020, false },
	{ 0x8086, 0x09a2, 0x09a2, false },
	/* Xeon accelerators that sit on a root bus: DSA, IAX, QAT */
	{ 0x8086, 0x0b25, 0x0b25, false },
	{ 0x8086, 0x0cfe, 0x0cfe, false },
	{ 0x8086, 0x11fb, 0x11fb, false },
	{ 0x8086, 0x1212, 0x1212, false },
	{ 0x8086, 0x1216, 0x1216, false },
	{ 0x8086, 0x4940, 0x4940, false },
	{ 0x8086, 0x4942, 0x4942, false },
	{ 0x8086, 0x4944, 0x4944, false },
	{ 0x8086, 0x4946, 0x4946, false },
	{ 0x8086, 0x4948, 0x4948, false },
	/* Google SoCs */
	{ 0x1ae0, 0x0000, 0xffff, false },
	/* Nvidia CPUs */
	{ 0x10de, 0x2f95, 0x2f98, false },
};

#endif /* _PEERBUF_HOST_BRIDGE_IDS_H */
