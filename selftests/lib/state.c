// SPDX-License-Identifier: GPL-2.0-only
/* Snapshots: what a call that failed must leave alone. */
#include <dirent.h>
#include <stdio.h>

#include "peerbuf_lib.h"

/* pb_nr_fds() - Return: how many descriptors this process has open. */
unsigned int pb_nr_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	if (!dir)
		fail("cannot read /proc/self/fd; is proc mounted?");
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/*
 * pb_nr_attached() - Return: devices attached to all dma-bufs of the system, or
 * -1 where the kernel does not tell.
 */
int pb_nr_attached(void)
{
	FILE *file = fopen("/sys/kernel/debug/dma_buf/bufinfo", "r");
	int total = 0, number;
	char line[256];

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Total %d devices attached", &number) == 1)
			total += number;
	fclose(file);
	return total;
}

/**
 * pb_state() - take a snapshot
 * @provider: whose
 * @pool: a pool of it to look at as well, or -1
 *
 * Return: the snapshot.
 */
struct pb_state pb_state(const struct pb_device *provider, int pool)
{
	struct peerbuf_provider_info info;
	struct peerbuf_window_info window;
	struct peerbuf_pool_info pool_info = {};
	struct pb_state state = {};

	must(pb_provider_info(provider, &info));
	must(pb_window(provider, 0, &window));
	if (pool >= 0)
		must(pb_pool_info(pool, &pool_info));
	state.available = window.available;
	state.nr_buffers = info.nr_buffers;
	state.pool_available = pool_info.available;
	state.pool_buffers = pool_info.nr_buffers;
	state.nr_fds = pb_nr_fds();
	return state;
}

static bool same(const char *what, __u64 before, __u64 after)
{
	if (before == after)
		return true;
	fprintf(stderr, "# %s changed from %llu to %llu\n", what,
		(unsigned long long)before, (unsigned long long)after);
	return false;
}

/**
 * pb_same_state() - compare two snapshots, and say what differs
 * @before: one
 * @after: other
 *
 * Return: whether they are equal.
 */
bool pb_same_state(const struct pb_state *before, const struct pb_state *after)
{
	return same("window: available", before->available, after->available) &
	       same("provider: buffers", before->nr_buffers,
		    after->nr_buffers) &
	       same("pool: available", before->pool_available,
		    after->pool_available) &
	       same("pool: buffers", before->pool_buffers,
		    after->pool_buffers) &
	       same("open descriptors", before->nr_fds, after->nr_fds);
}

/**
 * pb_unchanged() - take another snapshot and compare, say what differs
 * @before: what it should be
 * @provider: whose
 * @pool: the pool of @before, or -1
 *
 * Return: whether all is as it was.
 */
bool pb_unchanged(const struct pb_state *before,
		  const struct pb_device *provider, int pool)
{
	const struct pb_state now = pb_state(provider, pool);

	return pb_same_state(before, &now);
}
