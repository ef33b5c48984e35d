// SPDX-License-Identifier: MIT
/* The providers, as sysfs lists them. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static int compare(const void *a, const void *b)
{
	const struct peerbuf_function *x = a, *y = b;

	if (x->domain != y->domain)
		return x->domain < y->domain ? -1 : 1;
	return (x->bus << 8 | x->devfn) - (y->bus << 8 | y->devfn);
}

/* Entries that are not PCI addresses, "control" among them, are passed over. */
static int read_entries(DIR *dir, struct peerbuf_function **list)
{
	struct peerbuf_function function, *grown;
	struct dirent *entry;
	size_t room = 0;
	int count = 0;

	while (errno = 0, entry = readdir(dir)) {
		if (peerbuf_parse_function(entry->d_name, &function))
			continue;
		if ((size_t)count == room) {
			room = room ? 2 * room : 8;
			grown = reallocarray(*list, room, sizeof(**list));
			if (!grown)
				return -ENOMEM;
			*list = grown;
		}
		(*list)[count++] = function;
	}
	return errno ? -errno : count;
}

int peerbuf__list_dir(const char *path, struct peerbuf_function **list)
{
	DIR *dir = opendir(path);
	int count;

	*list = NULL;
	if (!dir)
		return -errno;

	count = read_entries(dir, list);
	closedir(dir);
	if (count < 0) {
		free(*list);
		*list = NULL;
		return count;
	}
	if (count)
		qsort(*list, (size_t)count, sizeof(**list), compare);
	return count;
}

int peerbuf_list_providers(struct peerbuf_function **list)
{
	return peerbuf__list_dir(PEERBUF_CLASS_DIR, list);
}
