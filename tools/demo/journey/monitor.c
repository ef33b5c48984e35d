// SPDX-License-Identifier: MIT
/* QEMU's human monitor, on a serial line of the guest. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "journey.h"

#define PROMPT		"(qemu) "
#define REPLY_MS	120000
#define QUIET_MS	100

static int open_raw(const char *path)
{
	int fd = path ? open(path, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
	struct termios mode;

	if (fd < 0)
		return -ENODEV;
	if (!tcgetattr(fd, &mode)) {
		cfmakeraw(&mode);
		tcsetattr(fd, TCSANOW, &mode);
	}
	return fd;
}

static ssize_t read_some(int fd, char *text, size_t size, int timeout_ms)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	ssize_t got;

	if (poll(&ready, 1, timeout_ms) <= 0)
		return -ETIMEDOUT;
	got = read(fd, text, size);
	return got > 0 ? got : -EIO;
}

/* Up to the prompt that follows the reply, which has to fit. */
static int read_reply(int fd, char *reply, size_t size)
{
	size_t used = 0;
	ssize_t got;

	do {
		if (used == size - 1)
			return -ENOSPC;
		got = read_some(fd, reply + used, size - 1 - used, REPLY_MS);
		if (got < 0)
			return (int)got;
		used += (size_t)got;
		reply[used] = '\0';
	} while (!strstr(reply, PROMPT));
	return 0;
}

/* Run a command: 0, -EIO if QEMU reported an error, or a negative errno. */
int monitor(const char *command, char *reply, size_t size)
{
	int fd = open_raw(getenv("PEERBUF_MONITOR")), err = 0;
	char rest[256];

	if (fd < 0)
		return fd;
	while (read_some(fd, rest, sizeof(rest), QUIET_MS) > 0)
		;
	reply[0] = '\0';
	if (dprintf(fd, "%s\n", command) < 0)
		err = -errno;
	if (!err)
		err = read_reply(fd, reply, size);
	close(fd);
	if (!err && (strstr(reply, "Error") || strstr(reply, "invalid") ||
		     strstr(reply, "unknown")))
		err = -EIO;
	return err;
}
