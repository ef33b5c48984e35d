/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_MAP_H
#define _PEERBUF_MAP_H

#include <linux/dma-direction.h>
#include <linux/types.h>
#include <uapi/linux/peerbuf.h>

struct device;
struct peerbuf_buffer;
struct sg_table;

/**
 * struct peerbuf_segment_limits - what one scatterlist entry may be
 * @max_length: longest, bytes, a multiple of the page size
 * @boundary: mask of an address range that no entry crosses
 */
struct peerbuf_segment_limits {
	u64 max_length;
	u64 boundary;
};

u64 peerbuf_segment_length(const struct peerbuf_segment_limits *limits,
			   u64 address, u64 remaining);

struct sg_table *peerbuf_map(struct peerbuf_buffer *buffer,
			     struct device *importer,
			     const struct peerbuf_verdict *verdict,
			     enum dma_data_direction dir);
void peerbuf_unmap(struct device *importer, struct sg_table *sgt,
		   enum dma_data_direction dir);

#endif /* _PEERBUF_MAP_H */
