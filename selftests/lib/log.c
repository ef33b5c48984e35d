// SPDX-License-Identifier: GPL-2.0-only
/* The kernel log. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

#include "peerbuf_lib.h"

#define READ_ALL	3	/* SYSLOG_ACTION_READ_ALL */
#define LOG_SIZE	(8 * 1024 * 1024)	/* log_buf_len is 4M */

/* pb_count_log() - Return: how often @text is in the kernel log. */
unsigned int pb_count_log(const char *text)
{
	static char log[LOG_SIZE];
	int length = klogctl(READ_ALL, log, sizeof(log) - 1);
	unsigned int count = 0;
	const char *at;

	if (length < 0)
		fail("cannot read the kernel log");
	log[length] = '\0';
	for (at = log; (at = strstr(at, text)); at++)
		count++;
	return count;
}

/**
 * pb_expect_log() - the kernel is going to report trouble that a test makes
 * @text: what the report has in it, and no other
 *
 * Lines with it are no failure of the run; that there is one is for the test to
 * look at.
 *
 * Return: 0 or a negative errno.
 */
int pb_expect_log(const char *text)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (dprintf(fd, "peerbuf-vm: expected: %s\n", text) < 0)
		ret = -errno;
	close(fd);
	return ret;
}
