// SPDX-License-Identifier: MIT
/* Buffers of the demo as the CPU sees them, and what it writes there. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <linux/dma-buf.h>

#include "memory.h"

#define WORD sizeof(__u64)

int buffer_export(struct buffer *buffer, int node, __u32 window)
{
	buffer->fd = peerbuf_export_fixed(node, window, buffer->offset, buffer->length, 0,
					  &buffer->id);
	return buffer->fd < 0 ? buffer->fd : 0;
}

int buffer_map(struct buffer *buffer)
{
	void *map = mmap(NULL, buffer->length, PROT_READ | PROT_WRITE, MAP_SHARED,
			 buffer->fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	buffer->map = map;
	return 0;
}

void buffer_unmap(struct buffer *buffer)
{
	munmap(buffer->map, buffer->length);
	buffer->map = NULL;
}

/* The rules of dma-buf: say when the CPU begins to look, and when it has. */
static void sync_cpu(struct buffer *buffer, __u64 flags)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_RW | flags };

	while (ioctl(buffer->fd, DMA_BUF_IOCTL_SYNC, &sync) < 0 &&
	       (errno == EINTR || errno == EAGAIN))
		;
}

/* Each word is really read and written, once. */
static __u64 load(const struct buffer *buffer, __u64 index)
{
	return __atomic_load_n(&buffer->map[index], __ATOMIC_RELAXED);
}

static void store(struct buffer *buffer, __u64 index, __u64 word)
{
	__atomic_store_n(&buffer->map[index], word, __ATOMIC_RELAXED);
}

/* splitmix64 of the word's number */
static __u64 pattern(__u64 seed, __u64 index)
{
	__u64 x = seed + (index + 1) * 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static unsigned int differing_bytes(__u64 a, __u64 b)
{
	unsigned int count = 0;
	__u64 x;

	for (x = a ^ b; x; x >>= 8)
		count += !!(x & 0xff);
	return count;
}

void fill_pattern(struct buffer *buffer, __u64 seed)
{
	__u64 i;

	sync_cpu(buffer, DMA_BUF_SYNC_START);
	for (i = 0; i < buffer->length / WORD; i++)
		store(buffer, i, pattern(seed, i));
	sync_cpu(buffer, DMA_BUF_SYNC_END);
}

/* Bytes from @start on that are not those of the pattern's beginning. */
__u64 count_not_pattern(struct buffer *buffer, __u64 start, __u64 length, __u64 seed)
{
	__u64 i, count = 0;

	sync_cpu(buffer, DMA_BUF_SYNC_START);
	for (i = 0; i < length / WORD; i++)
		count += differing_bytes(load(buffer, start / WORD + i), pattern(seed, i));
	sync_cpu(buffer, DMA_BUF_SYNC_END);
	return count;
}

static __u64 spread(__u8 byte)
{
	return byte * 0x0101010101010101ULL;
}

void fill_byte(struct buffer *buffer, __u64 start, __u64 length, __u8 byte)
{
	__u64 i;

	sync_cpu(buffer, DMA_BUF_SYNC_START);
	for (i = 0; i < length / WORD; i++)
		store(buffer, start / WORD + i, spread(byte));
	sync_cpu(buffer, DMA_BUF_SYNC_END);
}

__u64 count_not_byte(struct buffer *buffer, __u64 start, __u64 length, __u8 byte)
{
	__u64 i, count = 0;

	sync_cpu(buffer, DMA_BUF_SYNC_START);
	for (i = 0; i < length / WORD; i++)
		count += differing_bytes(load(buffer, start / WORD + i), spread(byte));
	sync_cpu(buffer, DMA_BUF_SYNC_END);
	return count;
}

static sigjmp_buf fault;

static void on_fault(int signal)
{
	siglongjmp(fault, signal);
}

static bool load_faults(const struct buffer *buffer, __u64 *word)
{
	if (sigsetjmp(fault, 1))
		return true;
	*word = load(buffer, 0);
	return false;
}

/* Does reading the first word through the mapping end in SIGBUS? */
bool buffer_faults(const struct buffer *buffer, __u64 *word)
{
	struct sigaction action = { .sa_handler = on_fault }, old;
	bool faults;

	sigaction(SIGBUS, &action, &old);
	faults = load_faults(buffer, word);
	sigaction(SIGBUS, &old, NULL);
	return faults;
}
