// SPDX-License-Identifier: GPL-2.0-only
/* io_uring for IORING_OP_URING_CMD, by its system calls. */
#include <errno.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "peerbuf_lib.h"

static struct io_uring_params *params(const struct pb_uring *ring)
{
	return ring->params;
}

static unsigned int *word(const struct pb_uring *ring, unsigned int offset)
{
	return (unsigned int *)(ring->sq + offset);
}

static size_t sqe_size(const struct pb_uring *ring)
{
	bool big = params(ring)->flags & IORING_SETUP_SQE128;

	return sizeof(struct io_uring_sqe) << big;
}

static size_t ring_size(const struct pb_uring *ring)
{
	const struct io_uring_params *p = params(ring);
	size_t sq = p->sq_off.array + p->sq_entries * sizeof(__u32);
	size_t cq = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);

	return sq > cq ? sq : cq;
}

/**
 * pb_uring_open() - make a ring
 * @ring: what is made
 * @entries: a power of two
 * @big: IORING_SETUP_SQE128
 *
 * Return: 0 or a negative errno.
 */
int pb_uring_open(struct pb_uring *ring, unsigned int entries, bool big)
{
	struct io_uring_params *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->flags = big ? IORING_SETUP_SQE128 : 0;
	ring->fd = syscall(SYS_io_uring_setup, entries, p);
	if (ring->fd < 0) {
		free(p);
		return -errno;
	}
	ring->params = p;
	ring->entries = p->sq_entries;
	ring->queued = 0;
	ring->sq = mmap(NULL, ring_size(ring), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_POPULATE, ring->fd,
			IORING_OFF_SQ_RING);
	ring->sqes = mmap(NULL, entries * sqe_size(ring),
			  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			  ring->fd, IORING_OFF_SQES);
	if (ring->sq == MAP_FAILED || ring->sqes == MAP_FAILED)
		fail("cannot map the rings: %s", strerror(errno));
	return 0;
}

/* pb_uring_close() - waits for nothing that is in flight. */
void pb_uring_close(struct pb_uring *ring)
{
	munmap(ring->sqes, ring->entries * sqe_size(ring));
	munmap(ring->sq, ring_size(ring));
	close(ring->fd);
	free(ring->params);
}

/**
 * pb_uring_queue() - queue a command, for which there has to be room
 * @ring: the ring
 * @fd: whose uring_cmd()
 * @command: cmd_op
 * @arg: the command
 * @size: bytes of it
 * @tag: what its completion brings back
 */
void pb_uring_queue(struct pb_uring *ring, int fd, unsigned int command,
		    const void *arg, size_t size, __u64 tag)
{
	const struct io_uring_params *p = params(ring);
	unsigned int mask = *word(ring, p->sq_off.ring_mask);
	unsigned int *tail = word(ring, p->sq_off.tail);
	unsigned int index = *tail & mask;
	struct io_uring_sqe *sqe =
		(struct io_uring_sqe *)(ring->sqes + index * sqe_size(ring));

	if (*tail - __atomic_load_n(word(ring, p->sq_off.head),
				    __ATOMIC_ACQUIRE) == ring->entries)
		fail("the submission ring is full");
	memset(sqe, 0, sqe_size(ring));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = fd;
	sqe->cmd_op = command;
	sqe->user_data = tag;
	memcpy((char *)sqe + offsetof(struct io_uring_sqe, cmd), arg, size);
	word(ring, p->sq_off.array)[index] = index;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	ring->queued++;
}

/**
 * pb_uring_submit() - submit what was queued
 * @ring: the ring
 * @wait: for so many completions
 *
 * Return: how many were submitted, or a negative errno.
 */
int pb_uring_submit(struct pb_uring *ring, unsigned int wait)
{
	int ret = syscall(SYS_io_uring_enter, ring->fd, ring->queued, wait,
			  wait ? IORING_ENTER_GETEVENTS : 0, NULL, 0);

	if (ret < 0)
		return -errno;
	ring->queued -= ret;
	return ret;
}

/**
 * pb_uring_reap() - take a completion
 * @ring: the ring
 * @tag: of the command
 * @result: its result
 *
 * Return: false, there is none.
 */
bool pb_uring_reap(struct pb_uring *ring, __u64 *tag, int *result)
{
	const struct io_uring_params *p = params(ring);
	unsigned int *head = word(ring, p->cq_off.head);
	const struct io_uring_cqe *cqes =
		(struct io_uring_cqe *)(ring->sq + p->cq_off.cqes);
	const struct io_uring_cqe *cqe;

	if (*head == __atomic_load_n(word(ring, p->cq_off.tail),
				     __ATOMIC_ACQUIRE))
		return false;
	cqe = &cqes[*head & *word(ring, p->cq_off.ring_mask)];
	*tag = cqe->user_data;
	*result = cqe->res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return true;
}
