/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _PEERBUF_ROUTE_H
#define _PEERBUF_ROUTE_H

#include <linux/types.h>
#include <uapi/linux/peerbuf.h>

/**
 * struct peerbuf_port - one PCI function on the way to the root
 * @function: its address, also its identity
 * @vendor: PCI vendor id
 * @device: PCI device id
 * @acs_ctrl: ACS Control register, zero where there is no ACS capability
 */
struct peerbuf_port {
	struct peerbuf_function function;
	u16 vendor;
	u16 device;
	u16 acs_ctrl;
};

/**
 * struct peerbuf_path - from a function up to its root bus
 * @ports: the function itself, then each bridge above it
 * @nr: entries of @ports; zero for an importer that is not PCI
 */
struct peerbuf_path {
	struct peerbuf_port *ports;
	unsigned int nr;
};

/**
 * struct peerbuf_facts - all that routing looks at
 * @provider: where the memory sits
 * @importer: where the DMA engine sits
 * @host: the function that stands for the first host bridge on the way that is
 *	not trusted; zero vendor where there is none to name
 * @host_trusted: the host bridges between the two forward peer requests
 * @host_admin: but only because the administrator says so
 * @kernel_asked: pci_p2pdma_distance() was asked
 * @kernel_reachable: and found the provider reachable
 * @iommu: the importer's DMA API goes through an IOMMU
 * @class: what the importer promised
 * @allow_pinned: the export admits %PEERBUF_CLASS_PINNED
 * @allow_static: export and administrator admit %PEERBUF_CLASS_STATIC
 * @direct: the export asks for a bus route
 * @dma_mask: highest address that the importer can express
 * @phys_last: highest CPU physical address that is to be reached
 * @bus_offset: PCI bus address minus CPU physical address
 */
struct peerbuf_facts {
	struct peerbuf_path provider;
	struct peerbuf_path importer;
	struct peerbuf_port host;
	bool host_trusted;
	bool host_admin;
	bool kernel_asked;
	bool kernel_reachable;
	bool iommu;
	enum peerbuf_class class;
	bool allow_pinned;
	bool allow_static;
	bool direct;
	u64 dma_mask;
	u64 phys_last;
	s64 bus_offset;
};

void peerbuf_route(const struct peerbuf_facts *facts,
		   struct peerbuf_verdict *verdict);
int peerbuf_route_errno(const struct peerbuf_verdict *verdict);
const char *peerbuf_reason_text(u32 reason);

#endif /* _PEERBUF_ROUTE_H */
