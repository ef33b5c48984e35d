// SPDX-License-Identifier: GPL-2.0-only
/* The words of a description: splitting a line, reading numbers and names. */
#include <linux/array_size.h>
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "fabric.h"

static const struct {
	const char *name;
	u16 bit;
} acs_bits[] = {
	{ "sv", PCI_ACS_SV },
	{ "tb", PCI_ACS_TB },
	{ "rr", PCI_ACS_RR },
	{ "cr", PCI_ACS_CR },
	{ "uf", PCI_ACS_UF },
	{ "ec", PCI_ACS_EC },
	{ "dt", PCI_ACS_DT },
};

/**
 * fabric_split() - cut a line into words; a # starts a comment
 * @line: cut in place
 * @words: filled in
 *
 * Return: 0 or -E2BIG.
 */
int fabric_split(char *line, struct fabric_words *words)
{
	char *word;

	words->nr = 0;
	words->next = 0;
	line[strcspn(line, "#")] = '\0';

	while ((word = strsep(&line, " \t"))) {
		if (!*word)
			continue;
		if (words->nr == FABRIC_MAX_WORDS)
			return -E2BIG;
		words->word[words->nr++] = word;
	}

	return 0;
}

/**
 * fabric_word() - take the next word
 * @words: from fabric_split()
 *
 * Return: the word, NULL after the last.
 */
char *fabric_word(struct fabric_words *words)
{
	return words->next < words->nr ? words->word[words->next++] : NULL;
}

/**
 * fabric_parse_number() - read an unsigned number, decimal or 0x
 * @word: the text, or NULL
 * @max: largest value that makes sense
 * @value: out
 *
 * Return: 0 or -EINVAL.
 */
int fabric_parse_number(const char *word, u64 max, u64 *value)
{
	if (!word || kstrtou64(word, 0, value) || *value > max)
		return -EINVAL;

	return 0;
}

/**
 * fabric_parse_size() - read a number of bytes, with K, M, G or T
 * @word: the text, or NULL
 * @value: out
 *
 * Return: 0 or -EINVAL.
 */
int fabric_parse_size(const char *word, u64 *value)
{
	static const char units[] = "KMGT";
	const char *unit;
	char digits[24];
	size_t length;
	u64 factor = 1;

	length = word ? strlen(word) : 0;
	if (!length || length >= sizeof(digits))
		return -EINVAL;

	memcpy(digits, word, length + 1);
	unit = strchr(units, toupper(digits[length - 1]));
	if (unit) {
		digits[length - 1] = '\0';
		factor <<= 10 * (unit - units + 1);
	}
	if (kstrtou64(digits, 0, value) ||
	    check_mul_overflow(*value, factor, value))
		return -EINVAL;

	return 0;
}

/**
 * fabric_parse_range() - read a decimal number, or two with a dash between
 * @word: the text, or NULL
 * @max: largest value that makes sense
 * @first: out
 * @last: out, @first for a single number
 *
 * Return: 0 or -EINVAL.
 */
int fabric_parse_range(const char *word, int max, int *first, int *last)
{
	char text[8];
	char *dash;

	if (!word || strscpy(text, word) < 0)
		return -EINVAL;

	dash = strchr(text, '-');
	if (dash)
		*dash++ = '\0';
	if (kstrtoint(text, 10, first) ||
	    kstrtoint(dash ?: text, 10, last) ||
	    *first < 0 || *last < *first || *last > max)
		return -EINVAL;

	return 0;
}

static int parse_hex(const char *word, unsigned int max, unsigned int *value)
{
	if (kstrtouint(word, 16, value) || *value > max)
		return -EINVAL;

	return 0;
}

/* Two hexadecimal numbers with a colon between, as lspci writes them. */
static int parse_pair(const char *word, unsigned int max_left,
		      unsigned int *left, unsigned int max_right,
		      unsigned int *right)
{
	const char *colon = strchr(word, ':');
	char text[12];

	if (!colon || strscpy(text, word) < 0)
		return -EINVAL;
	text[colon - word] = '\0';

	return parse_hex(text, max_left, left) ?:
	       parse_hex(colon + 1, max_right, right);
}

/**
 * fabric_parse_place() - read DOMAIN or DOMAIN:BUS, hexadecimal
 * @word: the text, or NULL
 * @domain: out; numbers above 0xffff are those of VMD-like domains
 * @bus: out, -1 where the text has none
 *
 * Return: 0 or -EINVAL.
 */
int fabric_parse_place(const char *word, u32 *domain, int *bus)
{
	unsigned int number;

	if (!word)
		return -EINVAL;

	if (!strchr(word, ':')) {
		*bus = -1;
		return parse_hex(word, INT_MAX, domain);
	}
	if (parse_pair(word, INT_MAX, domain, 0xff, &number))
		return -EINVAL;

	*bus = number;
	return 0;
}

/**
 * fabric_parse_id() - read VENDOR:DEVICE, hexadecimal
 * @word: the text, or NULL
 * @vendor: out
 * @device: out
 *
 * Return: 0 or -EINVAL. Vendors 0 and ffff mean that nothing is there.
 */
int fabric_parse_id(const char *word, u16 *vendor, u16 *device)
{
	unsigned int left, right;

	if (!word || parse_pair(word, 0xfffe, &left, 0xffff, &right) || !left)
		return -EINVAL;

	*vendor = left;
	*device = right;
	return 0;
}

/**
 * fabric_acs_bit() - a bit of the ACS registers by its name
 * @word: the text
 *
 * Return: the bit, 0 if it is none.
 */
u16 fabric_acs_bit(const char *word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(acs_bits); i++)
		if (!strcmp(acs_bits[i].name, word))
			return acs_bits[i].bit;

	return 0;
}
