/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * peerbuf_fabric: a PCI fabric in software, behind /dev/peerbuf-fabric.
 *
 * For tests only, and not an ABI: the module and its tests are built together.
 * What to write to the file is described in description.rst; what a read
 * returns is in main.c.
 */
#ifndef _PEERBUF_FABRIC_UAPI_H
#define _PEERBUF_FABRIC_UAPI_H

#include <linux/ioctl.h>
#include <linux/peerbuf.h>
#include <linux/types.h>

#define PEERBUF_FABRIC_IOC_TYPE	0xC1

/**
 * struct peerbuf_fabric_distance - pci_p2pdma_distance_many() for one importer
 *
 * Any two functions of the system. ENXIO, one of them does not exist;
 * EOPNOTSUPP without CONFIG_PCI_P2PDMA.
 */
struct peerbuf_fabric_distance {
	/** @provider: in: the function whose memory is to be reached */
	struct peerbuf_function provider;
	/** @importer: in: the function that does the DMA */
	struct peerbuf_function importer;
	/** @distance: out: what the kernel says, -1 for unreachable */
	__s32 distance;
	/** @reserved: zero */
	__u32 reserved;
};

#define PEERBUF_FABRIC_IOC_DISTANCE \
	_IOWR(PEERBUF_FABRIC_IOC_TYPE, 0x00, struct peerbuf_fabric_distance)

#endif /* _PEERBUF_FABRIC_UAPI_H */
