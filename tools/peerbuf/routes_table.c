// SPDX-License-Identifier: MIT
/* peerbuf routes, for a terminal: a row for each provider, a column for each importer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "routes.h"

#define CELL 3
#define IDS 12

struct paint {
	bool on;
	int columns; /* importers that fit side by side */
	int names; /* width of the longest address */
};

static int longest_name(const struct matrix *matrix, const struct selection *selection)
{
	int i, length, longest = 0;

	for (i = 0; i < selection->nr; i++) {
		const struct pci_function *f = &matrix->machine->functions[selection->functions[i]];

		length = (int)strlen(name_of(&f->address).text);
		longest = length > longest ? length : longest;
	}
	return longest;
}

static struct paint find_paint(const struct matrix *matrix)
{
	const char *term = getenv("TERM");
	struct paint paint = { .columns = matrix->importers.nr };
	struct winsize size;
	int names;

	paint.names = longest_name(matrix, &matrix->providers);
	names = paint.names + IDS;
	if (!isatty(STDOUT_FILENO))
		return paint;
	paint.on = !getenv("NO_COLOR") && term && strcmp(term, "dumb");
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col > names + CELL)
		paint.columns = (size.ws_col - names) / CELL;
	return paint;
}

static const char *colour_of(const struct peerbuf_verdict *verdict)
{
	switch (verdict->route) {
	case PEERBUF_ROUTE_BUS:
		return "\033[32m";
	case PEERBUF_ROUTE_HOST:
		return "\033[33m";
	default:
		return "\033[31m";
	}
}

/* Columns are named as in a spreadsheet: A to Z, AA to ZZ, and so on. */
static void write_column(int column, char *text, size_t size)
{
	size_t at = size - 1;

	text[at] = '\0';
	for (column++; column && at; column = (column - 1) / 26)
		text[--at] = (char)('A' + (column - 1) % 26);
	memmove(text, text + at, size - at);
}

static void print_cell(const struct answer *answer, const struct paint *paint)
{
	char mark = answer->certain ? ' ' : '?';

	if (paint->on)
		printf(" %s%c%c\033[0m", colour_of(&answer->verdict),
		       route_letter(&answer->verdict), mark);
	else
		printf(" %c%c", route_letter(&answer->verdict), mark);
}

static void print_head(const struct paint *paint, int first, int last)
{
	char name[8];
	int i;

	printf("%-*s", paint->names + IDS, "PROVIDER");
	for (i = first; i < last; i++) {
		write_column(i, name, sizeof(name));
		printf(" %-2s", name);
	}
	printf("\n");
}

static void print_block(const struct matrix *matrix, const struct paint *paint, int first)
{
	int last = first + paint->columns, row, column;

	if (last > matrix->importers.nr)
		last = matrix->importers.nr;
	print_head(paint, first, last);
	for (row = 0; row < matrix->providers.nr; row++) {
		const struct pci_function *f =
			&matrix->machine->functions[matrix->providers.functions[row]];

		printf("%-*s %04x:%04x  ", paint->names, name_of(&f->address).text, f->vendor,
		       f->device);
		for (column = first; column < last; column++)
			print_cell(answer_at(matrix, row, column), paint);
		printf("\n");
	}
	printf("\n");
}

static void print_importers(const struct matrix *matrix)
{
	int i, width = longest_name(matrix, &matrix->importers);
	char name[8];

	for (i = 0; i < matrix->importers.nr; i++) {
		const struct pci_function *f =
			&matrix->machine->functions[matrix->importers.functions[i]];

		write_column(i, name, sizeof(name));
		printf("%-3s %-*s %04x:%04x  %s\n", name, width, name_of(&f->address).text,
		       f->vendor, f->device, *f->label ? f->label : class_word(f));
	}
	printf("\n");
}

static void print_legend(const struct matrix *matrix)
{
	size_t i, pairs = (size_t)matrix->providers.nr * (size_t)matrix->importers.nr;
	bool uncertain = false;

	for (i = 0; i < pairs; i++)
		uncertain |= !matrix->answers[i].certain;
	printf("B bus   H host   - none   = itself%s\n",
	       uncertain ? "   ? if no port redirects (ACS not known)" : "");
}

static void print_cause(const struct cause *cause)
{
	const struct peerbuf_verdict *verdict = &cause->verdict;

	printf("%s, %d pair%s: %s", peerbuf_route_name(verdict->route), cause->pairs,
	       cause->pairs == 1 ? "" : "s", peerbuf_reason_name(verdict->reason));
	if (verdict->flags & PEERBUF_VERDICT_BLOCKER) {
		char acs[PEERBUF_ACS_LEN] = "";

		if (verdict->reason == PEERBUF_REASON_ACS_REDIRECT)
			peerbuf_format_acs((__u16)verdict->acs, acs, sizeof(acs));
		printf(" at %s [%04x:%04x]%s%s", name_of(&verdict->blocker).text,
		       verdict->blocker_id >> 16, verdict->blocker_id & 0xffff,
		       *acs ? " " : "", acs);
	}
	printf("\n");
}

int print_table(const struct matrix *matrix)
{
	struct paint paint = find_paint(matrix);
	struct cause *causes;
	int i, nr;

	nr = find_causes(matrix, &causes);
	if (!causes)
		return report("out of memory");
	for (i = 0; i < matrix->importers.nr; i += paint.columns)
		print_block(matrix, &paint, i);
	print_importers(matrix);
	print_legend(matrix);
	for (i = 0; i < nr; i++)
		print_cause(&causes[i]);
	if (nr)
		printf("\"peerbuf why PROVIDER IMPORTER\" says what would help.\n");
	free(causes);
	return EXIT_OK;
}
