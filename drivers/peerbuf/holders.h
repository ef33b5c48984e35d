/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_HOLDERS_H
#define _PEERBUF_HOLDERS_H

#include <linux/types.h>

struct peerbuf_buffer;
struct peerbuf_buffer_entry;
struct peerbuf_call;
struct peerbuf_holder_entry;

int peerbuf_describe_buffer(struct peerbuf_buffer *buffer,
			    struct peerbuf_buffer_entry *entry);
struct peerbuf_holder_entry *
peerbuf_describe_holders(struct peerbuf_buffer *buffer, u32 room, u32 *nr);

int peerbuf_buffers_call(struct peerbuf_call *call);
int peerbuf_holders_call(struct peerbuf_call *call);

#endif /* _PEERBUF_HOLDERS_H */
