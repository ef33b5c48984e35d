// SPDX-License-Identifier: GPL-2.0-only
/* The kernel log. */
#include <string.h>
#include <sys/klog.h>

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
