// SPDX-License-Identifier: MIT
/* Descriptors over a Unix socket: one data byte carries one descriptor. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "internal.h"

#define MAX_FDS 4 /* to receive, so that surplus ones can be closed */

union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(MAX_FDS * sizeof(int))];
};

int peerbuf_send_fd(int sock, int fd)
{
	char byte = 0;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	union control control = { 0 };
	struct msghdr msg = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = CMSG_SPACE(sizeof(fd)),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	ssize_t sent;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));

	do {
		sent = sendmsg(sock, &msg, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* Copy out the descriptors that came; returns how many, at most MAX_FDS. */
static int take_fds(struct msghdr *msg, int fds[MAX_FDS])
{
	struct cmsghdr *cmsg;
	size_t bytes;
	int count = 0;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		bytes = cmsg->cmsg_len - CMSG_LEN(0);
		memcpy(fds + count, CMSG_DATA(cmsg), bytes);
		count += bytes / sizeof(int);
	}
	return count;
}

int peerbuf_recv_fd(int sock)
{
	char byte;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	union control control;
	struct msghdr msg = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	int fds[MAX_FDS], count;
	ssize_t got;

	do {
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;

	count = take_fds(&msg, fds);
	if (count == 1 && !(msg.msg_flags & MSG_CTRUNC))
		return fds[0];
	while (count)
		close(fds[--count]);
	if (!got)
		return -ECONNRESET;
	return msg.msg_flags & MSG_CTRUNC ? -EMFILE : -EBADMSG;
}
