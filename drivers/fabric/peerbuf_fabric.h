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
 */
struct peerbuf_fabric_distance {
	/** @importer: the function that does the DMA */
	struct peerbuf_function importer;
	/** @distance: what the kernel says, -1 for unreachable */
	__s32 distance;
	/** @reserved: zero */
	__u32 reserved;
};

/**
 * struct peerbuf_fabric_distances - the kernel's routing, for one provider
 *
 * And all functions of the system, in the kernel's order. ENXIO, there is no such
 * provider; EOPNOTSUPP without CONFIG_PCI_P2PDMA; EINVAL, as for all calls, no
 * fabric was built.
 */
struct peerbuf_fabric_distances {
	/** @provider: in: the function whose memory is to be reached */
	struct peerbuf_function provider;
	/** @entries: in: address of @nr &struct peerbuf_fabric_distance */
	__u64 entries;
	/** @nr: in: room; out: functions of the system */
	__u32 nr;
	/** @reserved: zero */
	__u32 reserved;
};

#define PEERBUF_FABRIC_IOC_DISTANCES \
	_IOWR(PEERBUF_FABRIC_IOC_TYPE, 0x00, struct peerbuf_fabric_distances)

/* How often config space of this fabric was read: a __u64 is written. */
#define PEERBUF_FABRIC_IOC_READS \
	_IOR(PEERBUF_FABRIC_IOC_TYPE, 0x01, __u64)

/**
 * struct peerbuf_fabric_presence - pull a function out, or plug it in again
 *
 * With all that is below it. Nobody is told: config space just answers no more,
 * or again, as after power-on. For the kernel to notice, remove the device and
 * rescan, as sysfs has it. ENOENT, no function has that name.
 */
struct peerbuf_fabric_presence {
	/** @name: in: of the description */
	char name[32];
	/** @present: in: 0 or 1 */
	__u32 present;
};

#define PEERBUF_FABRIC_IOC_PRESENCE \
	_IOW(PEERBUF_FABRIC_IOC_TYPE, 0x02, struct peerbuf_fabric_presence)

#endif /* _PEERBUF_FABRIC_UAPI_H */
