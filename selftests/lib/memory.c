// SPDX-License-Identifier: GPL-2.0-only
/* CPU mappings of dma-bufs, and what is in them. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <linux/dma-buf.h>

#include "peerbuf_lib.h"

/* Each access happens, once: a device may have written in between. */
#define READ(place)		__atomic_load_n(&(place), __ATOMIC_RELAXED)
#define WRITE(place, value)	__atomic_store_n(&(place), value, __ATOMIC_RELAXED)

/* pb_map() - mmap(2) that must succeed; @fd -1: memory. Return: the mapping. */
void *pb_map(int fd, __u64 offset, size_t length, int prot)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *memory = mmap(NULL, length, prot, flags, fd, offset);

	if (memory == MAP_FAILED)
		fail("cannot map %zu bytes at %llu: %s", length,
		     (unsigned long long)offset, strerror(errno));
	return memory;
}

/* pb_try_map() - mmap(2) and munmap(2). Return: 0 or a negative errno. */
int pb_try_map(int fd, __u64 offset, size_t length, int prot, int flags)
{
	void *memory = mmap(NULL, length, prot, flags, fd, offset);

	if (memory == MAP_FAILED)
		return -errno;
	munmap(memory, length);
	return 0;
}

/* pb_sync() - DMA_BUF_IOCTL_SYNC. Return: 0 or a negative errno. */
int pb_sync(int fd, __u64 flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	return pb_ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
}

/* A byte that says which pattern it is of, and where in it. */
static __u8 pattern(__u64 seed, size_t index)
{
	__u64 mixed = (seed + (index >> 3) + 1) * 0x9e3779b97f4a7c15ULL;

	mixed ^= mixed >> 29;
	return mixed >> (8 * (index & 7));
}

/* pb_fill() - write the pattern @seed. */
void pb_fill(void *memory, size_t length, __u64 seed)
{
	__u8 *byte = memory;
	size_t i;

	for (i = 0; i < length; i++)
		WRITE(byte[i], pattern(seed, i));
}

/* pb_holds() - Return: whether @memory is all pattern @seed. */
bool pb_holds(const void *memory, size_t length, __u64 seed)
{
	const __u8 *byte = memory;
	size_t i;

	for (i = 0; i < length; i++) {
		__u8 seen = READ(byte[i]);

		if (seen == pattern(seed, i))
			continue;
		fprintf(stderr, "# byte %zu of %zu is 0x%02x, not 0x%02x\n", i,
			length, seen, pattern(seed, i));
		return false;
	}
	return true;
}

/* pb_is_zero() - Return: whether @memory is all zero. */
bool pb_is_zero(const void *memory, size_t length)
{
	const __u64 *word = memory;
	size_t i;

	for (i = 0; i < length / sizeof(*word); i++) {
		if (!READ(word[i]))
			continue;
		fprintf(stderr, "# word at byte %zu of %zu is not zero\n",
			i * sizeof(*word), length);
		return false;
	}
	return true;
}

static sigjmp_buf touch_env;

static void touch_fault(int signal)
{
	siglongjmp(touch_env, signal);
}

/**
 * pb_touch() - access one byte
 * @address: where
 * @write: write back what was read
 *
 * Return: 0, or the signal that the access raised.
 */
int pb_touch(void *address, bool write)
{
	struct sigaction action = { .sa_handler = touch_fault };
	struct sigaction old_bus, old_segv;
	__u8 *byte = address;
	int signal;

	sigaction(SIGBUS, &action, &old_bus);
	sigaction(SIGSEGV, &action, &old_segv);
	signal = sigsetjmp(touch_env, 1);
	if (!signal) {
		__u8 value = READ(*byte);

		if (write)
			WRITE(*byte, value);
	}
	sigaction(SIGBUS, &old_bus, NULL);
	sigaction(SIGSEGV, &old_segv, NULL);
	return signal;
}

/* pb_write_buffer() - fill part of a dma-buf through a mapping of its own. */
void pb_write_buffer(int dmabuf, __u64 offset, size_t length, __u64 seed)
{
	__u64 first = offset & ~(__u64)(PAGE - 1);
	size_t whole = offset - first + length;
	char *memory = pb_map(dmabuf, first, whole, PROT_READ | PROT_WRITE);

	must(pb_sync(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
	pb_fill(memory + (offset - first), length, seed);
	must(pb_sync(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE));
	munmap(memory, whole);
}

/* pb_buffer_holds() - Return: whether part of a dma-buf is pattern @seed. */
bool pb_buffer_holds(int dmabuf, __u64 offset, size_t length, __u64 seed)
{
	__u64 first = offset & ~(__u64)(PAGE - 1);
	size_t whole = offset - first + length;
	char *memory = pb_map(dmabuf, first, whole, PROT_READ);
	bool holds;

	must(pb_sync(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	holds = pb_holds(memory + (offset - first), length, seed);
	must(pb_sync(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
	munmap(memory, whole);
	return holds;
}
