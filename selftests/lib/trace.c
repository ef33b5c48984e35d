// SPDX-License-Identifier: GPL-2.0-only
/* The tracepoints of peerbuf: what importers were told that tell nobody. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "peerbuf_lib.h"

#define TRACING	"/sys/kernel/tracing/"

/* pb_watch() - forget what was seen, see from now on. Return: 0 or -errno. */
int pb_watch(void)
{
	return pb_write_file(TRACING "trace", "") ?:
	       pb_write_file(TRACING "events/peerbuf/enable", "1");
}

static bool is_event(const char *line, const char *event, const char *importer)
{
	char name[64], word[96];

	snprintf(name, sizeof(name), ": %s: ", event);
	snprintf(word, sizeof(word), " importer=%s ", importer);
	return strstr(line, name) && strstr(line, word);
}

/* Lines end with a break, which the last word would have in it. */
static int find_events(const char *event, const char *importer, char *last,
		       size_t size)
{
	FILE *trace = fopen(TRACING "trace", "re");
	char line[1024];
	int count = 0;

	if (!trace)
		return -errno;
	while (fgets(line, sizeof(line), trace)) {
		line[strcspn(line, "\n")] = ' ';
		if (!is_event(line, event, importer))
			continue;
		snprintf(last, size, "%s", line);
		count++;
	}
	fclose(trace);
	return count;
}

/**
 * pb_seen_words() - how often something happened since pb_watch()
 * @event: any tracepoint of peerbuf
 * @words: what the line has in it
 *
 * Return: the number, or a negative errno.
 */
int pb_seen_words(const char *event, const char *words)
{
	FILE *trace = fopen(TRACING "trace", "re");
	char line[1024], name[64];
	int count = 0;

	if (!trace)
		return -errno;
	snprintf(name, sizeof(name), ": %s: ", event);
	while (fgets(line, sizeof(line), trace))
		count += strstr(line, name) && strstr(line, words);
	fclose(trace);
	return count;
}

/**
 * pb_seen() - how often something happened since pb_watch()
 * @event: tracepoint that names an importer
 * @importer: its device's name
 *
 * Return: the number, or a negative errno.
 */
int pb_seen(const char *event, const char *importer)
{
	char last[1024];

	return find_events(event, importer, last, sizeof(last));
}

/**
 * pb_seen_attach() - the verdict on the last attach since pb_watch()
 * @importer: its device's name
 * @seen: the verdict
 *
 * Return: 0, -ENOENT if there was none, or a negative errno.
 */
int pb_seen_attach(const char *importer, struct pb_attach_seen *seen)
{
	char last[1024];
	const char *words;
	int ret;

	ret = find_events("peerbuf_attach", importer, last, sizeof(last));
	if (ret <= 0)
		return ret ?: -ENOENT;
	words = strstr(last, " route=");
	if (!words || sscanf(words, " route=%31s reason=%31s", seen->route,
			     seen->reason) != 2)
		return -EPROTO;
	words = strstr(last, " error=");
	return words && sscanf(words, " error=%d", &seen->error) == 1 ?
		       0 : -EPROTO;
}

/**
 * pb_seen_refusal() - why the last map since pb_watch() was refused
 * @importer: its device's name
 * @reason: of &enum peerbuf_reason, as the tracepoint words it
 * @size: room at @reason
 * @error: what the importer got
 *
 * Return: 0, -ENOENT if there was none, or a negative errno.
 */
int pb_seen_refusal(const char *importer, char *reason, size_t size,
		    int *error)
{
	char last[1024], word[32];
	const char *words;
	int ret;

	ret = find_events("peerbuf_map_refused", importer, last, sizeof(last));
	if (ret <= 0)
		return ret ?: -ENOENT;
	words = strstr(last, " reason=");
	if (!words || sscanf(words, " reason=%31s error=%d", word, error) != 2)
		return -EPROTO;
	snprintf(reason, size, "%s", word);
	return 0;
}
