// SPDX-License-Identifier: MIT
/* Lists of the kernel's, whole, though they may grow between two calls. */
#include <errno.h>
#include <stdlib.h>

#include "cli.h"

/* What comes between two calls, and is left room for. */
#define SPARE	16

/**
 * read_entries() - ask for a list until there was room for all of it
 * @ask: writes at most so many entries, and how many there are
 * @query: for @ask
 * @size: of an entry, in bytes
 * @guess: how many there may be; if it is right, one call is enough
 * @entries: where the list is put, for free(); NULL after an error
 *
 * Return: the number of entries, or a negative errno.
 */
int read_entries(ask_entries_fn *ask, void *query, size_t size, __u32 guess,
		 void **entries)
{
	__u32 room, nr = guess;
	int err;

	do {
		room = nr + SPARE;
		*entries = calloc(room, size);
		if (!*entries)
			return -ENOMEM;
		err = ask(query, *entries, room, &nr);
		if (!err && nr <= room)
			return (int)nr;
		free(*entries);
		*entries = NULL;
	} while (!err);
	return err;
}
