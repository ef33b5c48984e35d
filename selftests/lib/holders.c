// SPDX-License-Identifier: GPL-2.0-only
/* Who holds what: the calls, and the counters beside them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "peerbuf_lib.h"

/**
 * pb_buffers() - PEERBUF_IOC_BUFFERS
 * @node: from pb_open_node()
 * @entries: room for @room, or NULL
 * @room: how many
 *
 * Return: how many buffers there are, or a negative errno.
 */
int pb_buffers(int node, struct peerbuf_buffer_entry *entries,
	       unsigned int room)
{
	struct peerbuf_buffers_query query = {
		.size = sizeof(query),
		.entries = (uintptr_t)entries,
		.nr_entries = room,
		.entry_size = sizeof(*entries),
	};
	int ret = pb_ioctl(node, PEERBUF_IOC_BUFFERS, &query);

	return ret ?: (int)query.nr_entries;
}

/**
 * pb_holders() - PEERBUF_IOC_HOLDERS
 * @node: from pb_open_node()
 * @id: of the buffer
 * @entries: room for @room, or NULL
 * @room: how many
 *
 * Return: how many importers there are, or a negative errno.
 */
int pb_holders(int node, __u64 id, struct peerbuf_holder_entry *entries,
	       unsigned int room)
{
	struct peerbuf_holders_query query = {
		.size = sizeof(query),
		.id = id,
		.entries = (uintptr_t)entries,
		.nr_entries = room,
		.entry_size = sizeof(*entries),
	};
	int ret = pb_ioctl(node, PEERBUF_IOC_HOLDERS, &query);

	return ret ?: (int)query.nr_entries;
}

/**
 * pb_find_buffer() - one buffer among all of a provider
 * @node: from pb_open_node()
 * @id: its number
 * @entry: set to what is listed of it
 *
 * Return: 0; -ENOENT, not listed; -EEXIST, more than once.
 */
int pb_find_buffer(int node, __u64 id, struct peerbuf_buffer_entry *entry)
{
	struct peerbuf_buffer_entry entries[64];
	int i, nr, found = 0;

	nr = must(pb_buffers(node, entries, ARRAY_SIZE(entries)));
	for (i = 0; i < nr && i < (int)ARRAY_SIZE(entries); i++) {
		if (entries[i].id != id)
			continue;
		*entry = entries[i];
		found++;
	}

	return found == 1 ? 0 : found ? -EEXIST : -ENOENT;
}

/**
 * pb_counter() - a counter of window 0
 * @provider: whose window
 * @name: of the file
 *
 * Return: its value.
 */
long long pb_counter(const struct pb_device *provider, const char *name)
{
	char path[128];
	long long value;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/peerbuf/%s/window0/%s",
		 provider->name, name);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%lld", &value) != 1)
		fail("cannot read %s", path);
	fclose(file);
	return value;
}
