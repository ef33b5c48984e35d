/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * peerbuf: PCI device memory as dma-bufs, for peer-to-peer DMA.
 *
 * Kernel to kernel contract: drivers that lend memory (providers), and drivers
 * that DMA to a dma-buf and share one careful lifecycle (importers).
 */
#ifndef _LINUX_PEERBUF_H
#define _LINUX_PEERBUF_H

#include <linux/dma-buf.h>
#include <linux/types.h>
#include <uapi/linux/peerbuf.h>

struct device;
struct dma_fence;
struct peerbuf_import;
struct peerbuf_provider;
struct pci_dev;

/* Providers: drivers/peerbuf/provider.c */

struct peerbuf_provider *peerbuf_provider_alloc(struct pci_dev *pdev);
int peerbuf_provider_add_window(struct peerbuf_provider *provider, int bar,
				u64 offset, u64 length);
int peerbuf_provider_register(struct peerbuf_provider *provider);
void peerbuf_provider_unregister(struct peerbuf_provider *provider);
void peerbuf_provider_put(struct peerbuf_provider *provider);

/* Importers: drivers/peerbuf/import.c */

struct peerbuf_import *peerbuf_import_attach(struct device *dev, int fd,
					     enum dma_data_direction dir);
void peerbuf_import_detach(struct peerbuf_import *import);
size_t peerbuf_import_size(const struct peerbuf_import *import);

struct dma_fence *peerbuf_import_begin(struct peerbuf_import *import);
void peerbuf_import_end(struct peerbuf_import *import, struct dma_fence *job,
			int error);
struct sg_table *peerbuf_import_sgt(struct peerbuf_import *import);
int peerbuf_import_address(struct peerbuf_import *import, u64 offset,
			   dma_addr_t *addr, size_t *contiguous);

#endif /* _LINUX_PEERBUF_H */
