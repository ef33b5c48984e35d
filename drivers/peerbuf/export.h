/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_EXPORT_H
#define _PEERBUF_EXPORT_H

#include <linux/types.h>

struct device;
struct dma_buf;
struct dma_buf_attachment;
struct peerbuf_buffer;
struct peerbuf_buffer_entry;
struct peerbuf_holder_entry;

int peerbuf_export(struct peerbuf_buffer *buffer, u32 open_flags);
void peerbuf_export_allow_vmap(struct peerbuf_buffer *buffer, bool allow);
struct peerbuf_buffer *peerbuf_buffer_of_dmabuf(struct dma_buf *dmabuf);
void peerbuf_export_dismiss(struct peerbuf_buffer *buffer,
			    const struct device *importer);
void peerbuf_export_count(struct peerbuf_buffer *buffer,
			  struct peerbuf_buffer_entry *entry);
void peerbuf_export_describe(const struct dma_buf_attachment *attach,
			     struct peerbuf_holder_entry *entry);
void peerbuf_log_attachments(struct peerbuf_buffer *buffer, bool stop);

#endif /* _PEERBUF_EXPORT_H */
