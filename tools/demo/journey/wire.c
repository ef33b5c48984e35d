// SPDX-License-Identifier: MIT
/*
 * The wire: port 0 of the NIC sends each line of buffer A as a frame, port 1
 * receives it into its place in buffer B. Slots are filled in their order, and a
 * wire keeps the order of frames; a frame that does not come, or not whole, ends
 * the journey.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <linux/peerbuf_igb.h>

#include "journey.h"

#define BATCH		50U
#define PATIENCE_MS	5000
#define LINK_TRIES	100
#define LINK_TRY_US	100000

/**
 * struct port - a port of the NIC, and its work
 * @fd: its node
 * @handle: of the buffer
 * @post: the call that gives it a slot
 * @length: bytes of a slot
 * @done: lines that it is through with
 */
struct port {
	int fd;
	__u32 handle;
	unsigned long post;
	__u32 length;
	__u32 done;
};

static struct peerbuf_igb_info info_of(int socket, const struct port *port)
{
	struct peerbuf_igb_info info = { .size = sizeof(info) };
	int err = call(port->fd, PEERBUF_IGB_IOC_INFO, &info);

	if (err)
		give_up(socket, err, "a port does not answer");
	return info;
}

static void set_up(int socket, struct port *port, int buffer, __u32 flags)
{
	struct peerbuf_igb_import import = {
		.size = sizeof(import),
		.flags = flags,
		.fd = buffer,
	};
	struct peerbuf_igb_set set = {
		.size = sizeof(set),
		.fields = PEERBUF_IGB_SET_SLOT_SIZE,
		.slot_size = PITCH,
	};
	int err = call(port->fd, PEERBUF_IGB_IOC_IMPORT, &import);

	if (!err)
		err = call(port->fd, PEERBUF_IGB_IOC_SET, &set);
	if (err)
		give_up(socket, err, "a port does not take its buffer");
	port->handle = import.handle;
}

static void wait_for_link(int socket, const struct port *port)
{
	int tries;

	for (tries = 0; tries < LINK_TRIES; tries++) {
		if (info_of(socket, port).flags & PEERBUF_IGB_LINK_UP)
			return;
		usleep(LINK_TRY_US);
	}
	give_up(socket, -ENETDOWN, "there is no link");
}

static void post(int socket, const struct port *port, __u32 line)
{
	struct peerbuf_igb_post arg = {
		.size = sizeof(arg),
		.handle = port->handle,
		.offset = (__u64)line * PITCH,
		.cookie = line,
		.length = port->length,
	};
	int err = call(port->fd, port->post, &arg);

	if (err)
		give_up(socket, err, "a port does not take a slot");
}

static void give_up_line(int socket, int error, const char *what, const char *which,
			 __u32 line)
{
	char text[80];

	snprintf(text, sizeof(text), "%s %u was not %s", which, line, what);
	give_up(socket, error, text);
}

/* Wait until the port is through with all lines before @end, in their order. */
static void reap(int socket, struct port *port, __u32 end, const char *what)
{
	struct pollfd ready = { .fd = port->fd, .events = POLLIN };
	struct peerbuf_igb_completion done[BATCH];
	struct peerbuf_igb_reap arg;
	__u32 i;
	int err;

	while (port->done < end) {
		/* slots are filled in order: which one is missing, nobody knows */
		if (poll(&ready, 1, PATIENCE_MS) <= 0)
			give_up_line(socket, -ETIMEDOUT, what, "one of the lines up to", end - 1);
		arg = (struct peerbuf_igb_reap) {
			.size = sizeof(arg),
			.nr = end - port->done,
			.completions = (unsigned long)done,
		};
		err = call(port->fd, PEERBUF_IGB_IOC_REAP, &arg);
		if (err)
			give_up(socket, err, "a port has no completions");
		for (i = 0; i < arg.nr; i++, port->done++) {
			err = done[i].status;
			if (!err && (done[i].cookie != port->done || done[i].length != FRAME))
				err = -EBADMSG;
			if (err)
				give_up_line(socket, err, what, "line", port->done);
		}
	}
}

/* Both ports can hold as many slots at a time. */
static void carry(int socket, struct port ports[2], __u32 first, __u32 end)
{
	__u32 line;

	for (line = first; line < end; line++)
		post(socket, &ports[1], line);
	for (line = first; line < end; line++) {
		if (!sabotaged("frame") || line != HEIGHT / 2)
			post(socket, &ports[0], line);
	}
	reap(socket, &ports[1], end, "received");
	reap(socket, &ports[0], end, "sent");
}

void play_wire(int socket)
{
	int nic0 = take(socket), nic1 = take(socket), owner = take(socket);
	struct port ports[2] = {
		{ .fd = nic0, .post = PEERBUF_IGB_IOC_POST_SEND, .length = FRAME },
		{ .fd = nic1, .post = PEERBUF_IGB_IOC_POST_RECV, .length = PITCH },
	};
	struct peerbuf_igb_info sent, received;
	struct report report = { };
	__u32 line;

	set_up(socket, &ports[0], take(owner), PEERBUF_IGB_SEND);
	set_up(socket, &ports[1], take(owner), PEERBUF_IGB_RECV);
	wait_for_link(socket, &ports[0]);
	wait_for_link(socket, &ports[1]);
	tell(socket, &report);

	wait_for_go(socket);
	for (line = 0; line < HEIGHT; line += BATCH) {
		carry(socket, ports, line, line + BATCH);
		report.bytes = (__u64)(line + BATCH) * FRAME;
		if (line + BATCH < HEIGHT)
			tell(socket, &report);
	}
	sent = info_of(socket, &ports[0]);
	received = info_of(socket, &ports[1]);
	if (sent.sent_bytes != report.bytes || received.received_bytes != report.bytes)
		give_up(socket, -EBADMSG, "the ports count other bytes");
	snprintf(report.text, sizeof(report.text),
		 "%llu frames sent, %llu received, %llu missed",
		 (unsigned long long)sent.sent_frames,
		 (unsigned long long)received.received_frames,
		 (unsigned long long)received.missed);
	tell(socket, &report);
	wait_for_go(socket);
}
