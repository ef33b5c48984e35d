// SPDX-License-Identifier: GPL-2.0-only
/* The ports: a buffer is sent by one, frame by frame, and received by the other. */
#include <errno.h>
#include <unistd.h>

#include "soak.h"

#define FRAME		2048U
#define FRAMES_IN_ONE	((unsigned int)(BUFFER_SIZE / FRAME))
#define TIMEOUT_MS	5000
#define LINK_MS		10000
#define QUIET_MS	100

/**
 * struct wire - two ports
 * @from: sends
 * @to: receives
 * @opened: &soak.disturbances before they were opened
 */
struct wire {
	int from;
	int to;
	unsigned long opened;
};

static void close_wire(struct wire *wire)
{
	if (wire->from >= 0)
		close(wire->from);
	if (wire->to >= 0)
		close(wire->to);
}

/* Not for ever, and not if the driver goes. */
static bool has_link(int port)
{
	__u64 deadline = pb_now_ms() + LINK_MS;
	struct peerbuf_igb_info info;

	while (pb_now_ms() < deadline) {
		if (pb_port_info(port, &info))
			return false;
		if (info.flags & PEERBUF_IGB_LINK_UP)
			return true;
		pb_sleep_ms(10);
	}
	return false;
}

/*
 * QEMU keeps frames for which a port had no slot, and delivers them later: take
 * what comes within a while, and throw it away.
 */
static void drain(int port)
{
	struct peerbuf_igb_completion done[FRAMES_IN_ONE];
	int heap = pb_heap(BUFFER_SIZE), got = 1;
	unsigned int handle, i;

	if (!pb_port_import(port, heap, PEERBUF_IGB_RECV, &handle)) {
		while (got > 0) {
			for (i = 0; i < FRAMES_IN_ONE; i++)
				if (pb_port_recv(port, handle, i * FRAME, FRAME,
						 i))
					break;
			got = pb_port_wait(port, done, FRAMES_IN_ONE, QUIET_MS);
		}
		pb_port_release(port, handle);
		while (pb_port_reap(port, done, FRAMES_IN_ONE) > 0)
			;
	}
	close(heap);
}

/* Waits for drivers and links. */
static bool open_wire(struct soak *soak, struct wire *wire)
{
	struct pb_device ports[2];

	while (!atomic_load(&soak->stop)) {
		if (pb_find(PB_IGB, ports, 2) != 2)
			fail("this machine has no two ports");
		wire->opened = atomic_load(&soak->disturbances);
		wire->from = pb_open_port(&ports[0]);
		wire->to = pb_open_port(&ports[1]);
		if (wire->from >= 0 && wire->to >= 0 && has_link(wire->from) &&
		    has_link(wire->to)) {
			drain(wire->to);
			return true;
		}
		close_wire(wire);
		pb_sleep_ms(10);
	}
	return false;
}

/* All completions of one side; 0, or the first error. */
static int wait_for(int port)
{
	struct peerbuf_igb_completion done[FRAMES_IN_ONE];
	int i, nr;

	nr = pb_port_wait(port, done, FRAMES_IN_ONE, TIMEOUT_MS);
	for (i = 0; i < nr; i++)
		if (done[i].status || done[i].length != FRAME)
			return done[i].status ?: -EBADMSG;
	return nr < 0 ? nr : nr < (int)FRAMES_IN_ONE ? -ETIME : 0;
}

static int post_all(const struct wire *wire, unsigned int from, unsigned int to)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < FRAMES_IN_ONE && !ret; i++)
		ret = pb_port_recv(wire->to, to, i * FRAME, FRAME, i);
	for (i = 0; i < FRAMES_IN_ONE && !ret; i++)
		ret = pb_port_send(wire->from, from, i * FRAME, FRAME, i);
	if (!ret)
		ret = wait_for(wire->from);
	if (!ret)
		ret = wait_for(wire->to);
	return ret;
}

static int transfer(const struct wire *wire, struct place *from,
		    struct place *to)
{
	unsigned int source, destination;
	int ret;

	ret = pb_port_import(wire->from, from->dmabuf, PEERBUF_IGB_SEND, &source);
	if (ret)
		return ret;
	ret = pb_port_import(wire->to, to->dmabuf, PEERBUF_IGB_RECV,
			     &destination);
	if (!ret) {
		ret = post_all(wire, source, destination);
		pb_port_release(wire->to, destination);
	}
	pb_port_release(wire->from, source);
	return ret;
}

static int work(struct soak *soak, const struct wire *wire, unsigned int *seed)
{
	unsigned long before = atomic_load(&soak->disturbances);
	struct place *from, *to;
	int ret = 0;

	from = soak_take(soak->buffers, NR_BUFFERS, seed);
	if (!from)
		return 0;
	to = soak_take(soak->buffers, NR_BUFFERS, seed);
	if (to) {
		ret = transfer(wire, from, to);
		to->content = UNKNOWN;
		if (!ret) {
			soak_copied(to, from);
			soak_done(soak, NET_COPIES);
		} else if (!soak_may_fail(soak, before, wire->opened, ret)) {
			soak_fault(soak, "the ports: error %d", ret);
		}
		soak_give(to);
	}
	soak_give(from);
	return ret;
}

/**
 * soak_net() - thread: send and receive
 * @arg: the soak
 *
 * Return: NULL.
 */
void *soak_net(void *arg)
{
	struct soak *soak = arg;
	unsigned int seed = 2000;
	struct wire wire;

	while (open_wire(soak, &wire)) {
		/* after an error, nobody knows what is still on the wire */
		while (!atomic_load(&soak->stop))
			if (work(soak, &wire, &seed))
				break;
		close_wire(&wire);
	}
	return NULL;
}
