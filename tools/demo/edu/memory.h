/* SPDX-License-Identifier: MIT */
/* Buffers of the demo as the CPU sees them, and what it writes there. */
#ifndef DEMO_MEMORY_H
#define DEMO_MEMORY_H

#include <stdbool.h>
#include <libpeerbuf.h>

/**
 * struct buffer - a range of the provider's window
 * @fd: the dma-buf
 * @id: its number
 * @offset: where it starts in the window
 * @length: bytes
 * @map: CPU mapping, or NULL
 */
struct buffer {
	int fd;
	__u64 id;
	__u64 offset;
	__u64 length;
	__u64 *map;
};

int buffer_export(struct buffer *buffer, int node, __u32 window);
int buffer_map(struct buffer *buffer);
void buffer_unmap(struct buffer *buffer);
bool buffer_faults(const struct buffer *buffer, __u64 *word);

/* What stands in memory: words that follow from a seed and their own number. */
void fill_pattern(struct buffer *buffer, __u64 seed);
__u64 count_not_pattern(struct buffer *buffer, __u64 start, __u64 length, __u64 seed);

/* Or one byte, over and over. */
void fill_byte(struct buffer *buffer, __u64 start, __u64 length, __u8 byte);
__u64 count_not_byte(struct buffer *buffer, __u64 start, __u64 length, __u8 byte);

#endif /* DEMO_MEMORY_H */
