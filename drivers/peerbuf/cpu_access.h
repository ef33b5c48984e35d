/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_CPU_ACCESS_H
#define _PEERBUF_CPU_ACCESS_H

#include <linux/dma-direction.h>
#include <linux/types.h>

struct dma_buf;
struct iosys_map;
struct peerbuf_buffer;
struct vm_area_struct;

int peerbuf_cpu_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma);
void peerbuf_cpu_zap(struct peerbuf_buffer *buffer);
void peerbuf_cpu_count(struct peerbuf_buffer *buffer, u32 *nr, u64 *bytes);
int peerbuf_cpu_vmap(struct dma_buf *dmabuf, struct iosys_map *map);
void peerbuf_cpu_vunmap(struct dma_buf *dmabuf, struct iosys_map *map);
int peerbuf_cpu_begin(struct dma_buf *dmabuf, enum dma_data_direction dir);
int peerbuf_cpu_end(struct dma_buf *dmabuf, enum dma_data_direction dir);

#endif /* _PEERBUF_CPU_ACCESS_H */
