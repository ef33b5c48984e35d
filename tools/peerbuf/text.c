// SPDX-License-Identifier: MIT
/* Addresses, sizes and strings, in and out. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

struct name name_of(const struct peerbuf_function *function)
{
	struct name name;

	peerbuf_format_function(function, name.text, sizeof(name.text));
	return name;
}

/* The largest unit that says it exactly. */
struct size size_of(__u64 bytes)
{
	static const char * const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	struct size size;
	size_t unit = 0;

	while (bytes && !(bytes % 1024) && unit < ARRAY_SIZE(units) - 1) {
		bytes /= 1024;
		unit++;
	}
	snprintf(size.text, sizeof(size.text), "%llu %s", (unsigned long long)bytes,
		 units[unit]);
	return size;
}

/* The power of 1024 that a suffix stands for, or -1: "", "K", "KB", "KiB" ... */
static int unit_of(const char *suffix)
{
	static const char units[] = "KMGT";
	const char *unit;

	if (!*suffix || !strcasecmp(suffix, "B"))
		return 0;
	unit = strchr(units, toupper((unsigned char)*suffix));
	if (!unit)
		return -1;
	suffix++;
	if (*suffix && strcasecmp(suffix, "B") && strcasecmp(suffix, "iB"))
		return -1;
	return (int)(unit - units) + 1;
}

int parse_size(const char *text, __u64 *bytes)
{
	unsigned long long value;
	char *end;
	int unit;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, !strncasecmp(text, "0x", 2) ? 16 : 10);
	if (errno)
		return -errno;
	unit = unit_of(end);
	if (unit < 0)
		return -EINVAL;
	if (value > ~0ULL >> (10 * unit))
		return -ERANGE;
	*bytes = value << (10 * unit);
	return 0;
}

int parse_number(const char *text, __u32 *number)
{
	unsigned long long value;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || value > 0xffffffff)
		return -EINVAL;
	*number = (__u32)value;
	return 0;
}

void print_json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < ' ')
			printf("\\u%04x", *text);
		else
			putchar(*text);
	}
	putchar('"');
}
