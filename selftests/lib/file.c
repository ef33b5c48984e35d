// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's files that are switches. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "peerbuf_lib.h"

/**
 * pb_write_file() - write a text in one go, as echo -n TEXT >PATH
 * @path: a file that exists
 * @text: all that it is to hold, or be told
 *
 * Return: 0 or a negative errno.
 */
int pb_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ssize_t length = strlen(text), done;
	int ret = 0;

	if (fd < 0)
		return -errno;
	done = write(fd, text, length);
	if (done != length)
		ret = done < 0 ? -errno : -EIO;
	close(fd);
	return ret;
}
