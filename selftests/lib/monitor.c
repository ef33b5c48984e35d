// SPDX-License-Identifier: GPL-2.0-only
/* QEMU's human monitor, over a serial line of the guest. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "peerbuf_lib.h"

#define PROMPT		"(qemu) "
#define REPLY_MS	60000	/* of a busy machine */
#define QUIET_MS	100

static int open_raw(const char *path)
{
	struct termios mode;
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
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
	return got < 0 ? -errno : got;
}

/* What is left of an earlier command, or of QEMU's greeting. */
static void drain(int fd)
{
	char text[256];

	while (read_some(fd, text, sizeof(text), QUIET_MS) > 0)
		;
}

/* Up to the prompt that follows the reply; what does not fit is dropped. */
static int read_reply(int fd, char *reply, size_t size)
{
	__u64 deadline = pb_now_ms() + REPLY_MS;
	size_t used = 0;
	ssize_t got;

	reply[0] = '\0';
	while (pb_now_ms() < deadline) {
		got = read_some(fd, reply + used, size - 1 - used, REPLY_MS);
		if (got < 0)
			return got;
		used += got;
		reply[used] = '\0';
		if (strstr(reply, PROMPT))
			return 0;
		if (used == size - 1) {
			memmove(reply, reply + size / 2, used - size / 2);
			used -= size / 2;
		}
	}
	return -ETIMEDOUT;
}

/* The reply begins after the echo of the command, which ends its line. */
static void strip_echo(char *reply)
{
	char *start = strchr(reply, '\n');
	char *end = strstr(reply, PROMPT);

	if (end)
		*end = '\0';
	if (start)
		memmove(reply, start + 1, strlen(start + 1) + 1);
}

/**
 * pb_monitor() - run a command of QEMU's monitor
 * @command: one line
 * @reply: what QEMU printed
 * @size: room at @reply, at least 1024
 *
 * Return: 0, -EIO if QEMU reported an error, or a negative errno.
 */
int pb_monitor(const char *command, char *reply, size_t size)
{
	const char *path = pb_expect()->monitor;
	char line[512];
	int fd, ret = 0;
	ssize_t length;

	if (!path)
		return -ENOENT;
	fd = open_raw(path);
	if (fd < 0)
		return fd;
	drain(fd);
	length = snprintf(line, sizeof(line), "%s\n", command);
	if (write(fd, line, length) != length)
		ret = -EIO;
	if (!ret)
		ret = read_reply(fd, reply, size);
	close(fd);
	strip_echo(reply);
	if (!ret && strstr(reply, "Error"))
		ret = -EIO;
	if (ret)
		fprintf(stderr, "# monitor: '%s' gave: %s\n", command, reply);
	return ret;
}

/**
 * pb_plug_path() - the name of the bus that a device of QEMU sits on
 * @id: the device's id
 * @bus: its name, for device_add
 * @size: room at @bus
 *
 * Return: 0 or a negative errno.
 */
int pb_plug_path(const char *id, char *bus, size_t size)
{
	char command[128], reply[1024];
	char *name, *end;
	int ret;

	snprintf(command, sizeof(command),
		 "qom-get /machine/peripheral/%s parent_bus", id);
	ret = pb_monitor(command, reply, sizeof(reply));
	if (ret)
		return ret;
	name = strrchr(reply, '/');
	end = name ? strchr(name, '"') : NULL;
	if (!end)
		return -EPROTO;
	*end = '\0';
	snprintf(bus, size, "%s", name + 1);
	return 0;
}

/**
 * pb_wait_until() - poll for a condition
 * @done: the condition
 * @arg: its argument
 * @timeout_ms: how long to wait at most
 *
 * Return: whether it came true in time.
 */
bool pb_wait_until(bool (*done)(const void *arg), const void *arg,
		   unsigned int timeout_ms)
{
	__u64 deadline = pb_now_ms() + timeout_ms;

	while (!done(arg)) {
		if (pb_now_ms() > deadline)
			return false;
		pb_sleep_ms(20);
	}
	return true;
}
