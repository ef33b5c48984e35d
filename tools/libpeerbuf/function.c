// SPDX-License-Identifier: MIT
/* PCI addresses as text. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * Read one to @digits hexadecimal digits and the character @end behind them.
 * Returns what follows, or NULL. Unlike strtoul(), takes no sign and no space.
 */
static const char *read_field(const char *text, int digits, char end, __u32 *value)
{
	int n = 0;

	*value = 0;
	while (n < digits && hex_digit(*text) >= 0) {
		*value = *value << 4 | (__u32)hex_digit(*text++);
		n++;
	}
	if (!n || *text != end)
		return NULL;
	return text + 1;
}

int peerbuf_parse_function(const char *text, struct peerbuf_function *function)
{
	const char *colon = strchr(text, ':');
	__u32 domain = 0, bus, device, number;

	if (colon && strchr(colon + 1, ':'))
		text = read_field(text, 8, ':', &domain);
	if (text)
		text = read_field(text, 2, ':', &bus);
	if (text)
		text = read_field(text, 2, '.', &device);
	if (text)
		text = read_field(text, 1, '\0', &number);
	if (!text || device > 0x1f || number > 7)
		return -EINVAL;

	*function = (struct peerbuf_function) {
		.domain = domain,
		.bus = bus,
		.devfn = device << 3 | number,
	};
	return 0;
}

int peerbuf_format_function(const struct peerbuf_function *function, char *text,
			    size_t size)
{
	int len = snprintf(text, size, "%04x:%02x:%02x.%u", function->domain,
			   function->bus, function->devfn >> 3, function->devfn & 7u);

	return (size_t)len < size ? len : -ENOSPC;
}
